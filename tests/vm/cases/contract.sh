# SPDX-License-Identifier: LGPL-2.1-or-later
# tier: fast
# kernels: 5.10 6.1 6.12 7.2
# cards: 5:8C,6:8P,3:7A
# domains: 4,71,171,255
# cdomains: 4,71
# timeout: 300
#
# The rules of tests/model/kernel.rules, which the model and simfs obey, on this kernel's driver.
exec /bench/rules_kernel /bench/kernel.rules "$@"
