# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for apmatrixctl; the names of matrices are the daemon's.

_apmatrixctl() {
	local verbs='status list show grid queues plan reconcile reload check start stop
		define undefine update monitor wait import-mdevctl export'
	local options='--help --version --host= --machine= --bus= --json= --no-pager'
	local states='defined active attached degraded pending failed foreign removed'
	local keys='UUID= Adapters= Domains= ControlDomains= Guest= Start= LiveChange='
	local cur prev word verb='' name='' where=() i
	COMPREPLY=()
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}

	# readline makes three words of --option=value.
	[ "$cur" = = ] && cur=''
	[ "$prev" = = ] && prev=${COMP_WORDS[COMP_CWORD - 2]}

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-H | -M | --host | --machine | --bus | --json | --root | --state | --timeout | --name | --format)
			[ "${COMP_WORDS[i + 1]}" = = ] && ((i++))
			((i++))
			case $word in
			-H | --host) where=(-H "${COMP_WORDS[i]}") ;;
			-M | --machine) where=(-M "${COMP_WORDS[i]}") ;;
			--bus) where=("--bus=${COMP_WORDS[i]}") ;;
			esac
			;;
		-*) ;;
		*)
			if [ -z "$verb" ]; then
				verb=$word
			elif [ -z "$name" ]; then
				name=$word
			fi
			;;
		esac
	done

	case $prev in
	--json)
		mapfile -t COMPREPLY < <(compgen -W 'short pretty off' -- "$cur")
		return
		;;
	--bus)
		mapfile -t COMPREPLY < <(compgen -W 'system session' -- "$cur")
		return
		;;
	--state)
		# Behind the last comma.
		local before=''
		[[ $cur == *,* ]] && before=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$before" -W "$states" -- "${cur##*,}")
		return
		;;
	--root)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	-H | --host)
		mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'mdevctl nodedev hostdev' -- "$cur")
		return
		;;
	-M | --machine | --timeout | --name)
		return
		;;
	esac

	# KEY=VALUE behind the name.
	case $verb:$name:$prev in
	define::* | update::*) ;;
	define:*:Start | update:*:Start)
		mapfile -t COMPREPLY < <(compgen -W 'boot guest manual' -- "$cur")
		return
		;;
	define:*:LiveChange | update:*:LiveChange)
		mapfile -t COMPREPLY < <(compgen -W 'none grow all' -- "$cur")
		return
		;;
	define:*:ControlDomains)
		mapfile -t COMPREPLY < <(compgen -W 'usage' -- "$cur")
		return
		;;
	define:*:[A-Z]* | update:*:[A-Z]*)
		[[ " $keys " == *" $prev= "* ]] && return
		;;
	esac

	if [[ $cur == -* ]]; then
		case $verb in
		wait) options="$options --state= --timeout=" ;;
		check) options="$options --root=" ;;
		define) options="$options --replace" ;;
		import-mdevctl) options="$options --root= --name= --write" ;;
		export) options="$options --format=" ;;
		esac
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
		return
	fi
	case $verb in
	'') mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
	define | update)
		if [ -n "$name" ]; then
			mapfile -t COMPREPLY < <(compgen -W "$keys" -- "$cur")
			compopt -o nospace 2>/dev/null
		else
			mapfile -t COMPREPLY < <(compgen -W "$(apmatrixctl "${where[@]}" names 2>/dev/null)" -- "$cur")
		fi
		;;
	status | show | start | stop | undefine | wait | export)
		mapfile -t COMPREPLY < <(compgen -W "$(apmatrixctl "${where[@]}" names 2>/dev/null)" -- "$cur")
		;;
	import-mdevctl)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /etc/mdevctl.d/matrix 2>/dev/null)" -- "$cur")
		;;
	check)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -X '!*.conf' -- "$cur"; compgen -d -- "$cur")
		;;
	esac
}

complete -F _apmatrixctl apmatrixctl
