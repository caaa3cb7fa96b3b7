/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * First pass of the planner: what each matrix should become, looked at by itself.  Knows the
 * definition, the device, the ledger and who is attached; does not know the other matrices.
 */
#include "core/planner.h"

#include <string.h>

static int compare_uuid(const void *a, const void *b)
{
	const struct matrix_config *const *x = a, *const *y = b;
	int r = strcmp((*x)->uuid, (*y)->uuid);

	/* Same UUID: the order of the names keeps this deterministic. */
	return r ? r : strcmp((*x)->name, (*y)->name);
}

/* Who may call the device of a UUID its own where several definitions name it: the one in the
 * ledger, else the first by name. */
static bool owns_uuid(
	const struct planner *p, const struct matrix_config *const *by_uuid, size_t n, size_t i)
{
	const struct ledger_entry *e = ledger_find(p->ledger, by_uuid[i]->uuid);
	size_t first = i, owner;

	while (first > 0 && strcmp(by_uuid[first - 1]->uuid, by_uuid[i]->uuid) == 0)
		first--;
	owner = first;
	for (size_t k = first; e && k < n && strcmp(by_uuid[k]->uuid, by_uuid[i]->uuid) == 0; k++)
		if (strcmp(by_uuid[k]->name, e->name) == 0)
			owner = k;
	return owner == i;
}

static bool shares_uuid(const struct matrix_config *const *by_uuid, size_t n, size_t i)
{
	return (i > 0 && strcmp(by_uuid[i - 1]->uuid, by_uuid[i]->uuid) == 0) ||
		(i + 1 < n && strcmp(by_uuid[i + 1]->uuid, by_uuid[i]->uuid) == 0);
}

static bool is_wanted(const struct matrix_config *m, const struct ledger_entry *e,
	const struct observed_mdev *mdev)
{
	switch (e ? e->intent : INTENT_CONFIG) {
	case INTENT_STARTED:
		return true;
	case INTENT_STOPPED:
		return false;
	default:
		/* What is there already and fits Start=guest or manual was started by someone. */
		return m->start == START_BOOT || mdev;
	}
}

/* ---- definitions that cannot be carried out ---- */

static bool check_complete(struct planner *p, struct verdict *v)
{
	const struct matrix_config *m = v->config;

	if (m->uuid[0] == '\0') {
		/* load/ has said why. */
		verdict_set(p, v, VERDICT_BLOCKED, "NoUUID",
			"it has no UUID= and none can be derived; add UUID= or set up "
			"/etc/machine-id");
		verdict_freeze(v);
		return false;
	}
	if (mask_is_empty(&m->want.adapters) || mask_is_empty(&m->want.domains)) {
		/* config_build() has said so at the section's line. */
		verdict_set(p, v, VERDICT_BLOCKED, "Incomplete",
			"it names no %s; add %s= to [Matrix %s]",
			mask_is_empty(&m->want.adapters) ? "adapter" : "domain",
			mask_is_empty(&m->want.adapters) ? "Adapters" : "Domains", m->name);
		verdict_freeze(v);
		return false;
	}
	return true;
}

/* The kernel answers ENODEV above its highest ids (assign_adapter_store() and others). */
static bool check_limit(struct planner *p, struct verdict *v, enum matrix_key key,
	const struct mask *want, unsigned max, const char *what)
{
	struct mask allowed = mask_up_to(max), above = mask_andnot(want, &allowed);
	unsigned n = mask_next(&above, 0);

	if (n == MASK_BITS)
		return true;
	planner_block(p, v, "BeyondMaximum", "beyond-maximum",
		matrix_config_origin_of(v->config, key, n),
		"%s 0x%02x is above 0x%02x, the highest on this machine; remove it", what, n, max);
	return false;
}

static bool check_kept(struct planner *p, struct verdict *v)
{
	const struct host_config *h = &p->config->host;
	const struct matrix_config *m = v->config;

	MASK_FOREACH (a, &m->want.adapters) {
		struct mask kept = mask_and(&h->keep.row[a], &m->want.domains);
		unsigned d = mask_next(&kept, 0);
		char queue[QUEUE_NAME_SIZE];

		if (d == MASK_BITS)
			continue;

		struct origin by = host_config_keep_origin(h, a, d);

		queue_format(a, d, queue);
		planner_block(p, v, "KeptByHost", "kept-by-host",
			matrix_config_origin_of(m, KEY_ADAPTERS, a),
			"queue %s stays with the host by KeepQueues= of %s:%u; drop one of the two",
			queue, by.file, by.line);
		return false;
	}
	return true;
}

static bool check_hazard(struct planner *p, struct verdict *v)
{
	unsigned n = matrix_n_queues(&v->config->want);

	if (!(p->observed->hazards & HAZARD_MATRIX_OVERRUN) || n <= MATRIX_SAFE_QUEUES)
		return true;
	planner_block(p, v, "Hazard", "hazard", v->config->section,
		"%u queues are more than the %u that kernel %s can show without overrunning a "
		"page; make it smaller, or use a kernel without this defect (7.2)",
		n, MATRIX_SAFE_QUEUES, p->observed->release);
	return false;
}

static bool check_definition(struct planner *p, struct verdict *v)
{
	const struct matrix *want = &v->config->want;
	const struct observed *o = p->observed;

	if (!check_complete(p, v))
		return false;
	if (o->has_ap_bus &&
		(!check_limit(p, v, KEY_ADAPTERS, &want->adapters, o->max_adapter, "adapter") ||
			!check_limit(p, v, KEY_DOMAINS, &want->domains, o->max_domain, "domain") ||
			!check_limit(p, v, KEY_CONTROL_DOMAINS, &want->control_domains,
				o->max_domain, "control domain")))
		return false;
	return check_kept(p, v) && check_hazard(p, v);
}

/* What is assigned although it is not there is allowed (over-provisioning), and worth a word.  Kernels
 * without guest_matrix refuse it; it is tried again when it has come. */
static void note_absent(struct planner *p, struct verdict *v, enum matrix_key key,
	const struct mask *want, const struct mask *there, const char *what)
{
	struct mask absent = mask_andnot(want, there);
	char list[MASK_LIST_SIZE];

	if (mask_is_empty(&absent))
		return;
	mask_format_list(&absent, list);
	if (!(p->observed->features & FEATURE_GUEST_MATRIX)) {
		planner_problem(p, PROBLEM_WARNING, "not-present", v,
			matrix_config_origin_of(v->config, key, mask_next(&absent, 0)),
			"%s%s %s %s not in the host's AP configuration now, and this kernel "
			"assigns only what is there",
			what, mask_count(&absent) == 1 ? "" : "s", list,
			mask_count(&absent) == 1 ? "is" : "are");
		return;
	}
	planner_problem(p, PROBLEM_NOTE, "not-present", v,
		matrix_config_origin_of(v->config, key, mask_next(&absent, 0)),
		mask_count(&absent) == 1
			? "%s %s is not in the host's AP configuration now; it is "
			  "assigned all the same, for the time when it is there"
			: "%ss %s are not in the host's AP configuration now; they "
			  "are assigned all the same, for the time when they are "
			  "there",
		what, list);
}

/* Adapters that are there and do not work: the guest keeps them, and gets errors. */
static void note_unusable(struct planner *p, struct verdict *v)
{
	const struct observed *o = p->observed;
	struct mask cards = mask_and(&v->config->want.adapters, &o->cards);

	MASK_FOREACH (a, &cards) {
		struct origin at = matrix_config_origin_of(v->config, KEY_ADAPTERS, a);

		if (!o->card[a].config)
			planner_problem(p, PROBLEM_WARNING, "deconfigured", v, at,
				"adapter 0x%02x is in standby (config is 0) and does not work "
				"until it is "
				"configured again; it stays assigned",
				a);
		else if (o->card[a].chkstop)
			planner_problem(p, PROBLEM_WARNING, "checkstop", v, at,
				"adapter 0x%02x is checkstopped and does not work until it is "
				"restarted "
				"(see lszcrypt); it stays assigned",
				a);
	}
}

/* ---- what it may become now ---- */

/* What may change at once under a guest.  Growing must not make a queue that is in neither of
 * the two: new adapters meet today's domains, and the other way round. */
static struct matrix live_target(
	const struct matrix *now, const struct matrix *want, enum live_change live)
{
	struct matrix t = *now;

	if (live == LIVE_ALL)
		return *want;
	if (live == LIVE_NONE)
		return t;

	bool adapters_fit = mask_is_subset(&now->adapters, &want->adapters);
	bool domains_fit = mask_is_subset(&now->domains, &want->domains);

	if (domains_fit)
		t.adapters = mask_or(&now->adapters, &want->adapters);
	if (adapters_fit)
		t.domains = mask_or(&now->domains, &want->domains);
	t.control_domains = mask_or(&now->control_domains, &want->control_domains);
	return t;
}

/* Kernels without guest_matrix refuse each change under a guest (assign_adapter_store(): EBUSY). */
enum live_change verdict_live_change(const struct planner *p, const struct verdict *v)
{
	if (!(p->observed->features & FEATURE_GUEST_MATRIX))
		return LIVE_NONE;
	return v->config ? v->config->live_change : p->config->host.live_change;
}

static void judge_live(struct planner *p, struct verdict *v)
{
	const struct matrix *want = &v->config->want;
	const struct matrix now = v->mdev->assigned;
	enum live_change live = verdict_live_change(p, v);
	const char *who = v->mdev->attach == ATTACH_YES ? "a guest has it"
							: "nobody can tell whether a guest has it";

	v->has_target = true;
	v->target = live_target(&now, want, live);
	if (matrix_equal(&v->target, want))
		verdict_set(p, v, VERDICT_FINE, "AsConfigured", "%s", "");
	else if (live == v->config->live_change)
		verdict_set(p, v, VERDICT_PENDING, "WaitsForDetach",
			"%s; LiveChange=%s leaves what differs until its guest detaches", who,
			live_change_to_string(live));
	else
		verdict_set(p, v, VERDICT_PENDING, "WaitsForDetach",
			"%s; this kernel changes nothing under a guest, so what differs is left "
			"until its guest detaches",
			who);
}

static void judge_removal(struct planner *p, struct verdict *v, const char *why)
{
	verdict_freeze(v);
	if (verdict_is_busy(v)) {
		verdict_set(p, v, VERDICT_PENDING, "WaitsForDetach",
			"%s; it is removed when its guest detaches", why);
	} else if (!p->observed->complete) {
		verdict_set(p, v, VERDICT_BLOCKED, "ObservationIncomplete",
			"%s; nothing is removed while the host cannot be read completely (%s)", why,
			p->observed->incomplete);
	} else {
		v->has_target = false;
		verdict_set(p, v, VERDICT_LEAVING, "Leaving", "%s", why);
	}
}

/* Someone changed, or took away, what we had set. */
static bool has_drifted(const struct verdict *v, const struct ledger_entry *e)
{
	if (!e || !e->made || !e->set_known)
		return false;
	return !v->mdev || (v->mdev->assigned_known && !matrix_equal(&v->mdev->assigned, &e->set));
}

static bool judge_drift(struct planner *p, struct verdict *v, const struct ledger_entry *e)
{
	if (p->config->host.drift != DRIFT_REPORT || !has_drifted(v, e))
		return false;
	if (v->mdev && matrix_equal(&v->mdev->assigned, &v->config->want))
		return false;
	verdict_freeze(v);
	verdict_set(p, v, VERDICT_DRIFT, "Drift",
		"someone else %s; 'apmatrixctl start %s' puts it back, Drift=repair does so by "
		"itself",
		v->mdev ? "changed it" : "removed its device", v->config->name);
	planner_problem(p, PROBLEM_WARNING, "drift", v, v->config->section, "%s", v->message);
	return true;
}

static const char *hold_reason(const struct hold *h)
{
	if (h->error == EINPROGRESS)
		return "WriteUnderWay";
	return h->error == 0 ? "NoEffect" : "KernelRefused";
}

static bool judge_hold(struct planner *p, struct verdict *v)
{
	const struct hold *h = planner_hold(p, v->uuid);

	if (!h)
		return false;
	verdict_freeze(v);
	verdict_set(p, v, VERDICT_HELD, hold_reason(h), "%s", h->message);
	planner_problem(p, PROBLEM_ERROR, "kernel-refused", v,
		v->config ? v->config->section : (struct origin){}, "%s", h->message);
	return true;
}

/* While not everything could be read, nothing is taken away from a device. */
static void judge_incomplete(struct planner *p, struct verdict *v)
{
	if (p->observed->complete || !v->mdev || matrix_is_subset(&v->mdev->assigned, &v->target))
		return;
	verdict_freeze(v);
	verdict_set(p, v, VERDICT_BLOCKED, "ObservationIncomplete",
		"nothing is taken away from it while the host cannot be read completely (%s)",
		p->observed->incomplete);
}

static void judge_wanted(struct planner *p, struct verdict *v, const struct ledger_entry *e)
{
	const struct observed *o = p->observed;
	const struct matrix *want = &v->config->want;

	if (!o->has_ap_bus || !o->has_matrix_device) {
		verdict_freeze(v);
		verdict_set(p, v, VERDICT_BLOCKED, "NoDriver", "%s",
			!o->has_ap_bus ? "this host has no AP bus"
				       : "vfio_ap is not loaded; load it with 'modprobe vfio_ap'");
		return;
	}
	note_absent(p, v, KEY_ADAPTERS, &want->adapters, &o->host_adapters, "adapter");
	note_absent(p, v, KEY_DOMAINS, &want->domains, &o->host_domains, "domain");
	note_unusable(p, v);
	if (judge_hold(p, v) || judge_drift(p, v, e))
		return;
	if (v->mdev && !v->mdev->assigned_known && (o->features & FEATURE_AP_CONFIG)) {
		/* Its attributes go first, its directory when the last one closes it. */
		verdict_freeze(v);
		verdict_set(p, v, VERDICT_PENDING, "BeingRemoved",
			"its device %s is being removed and waits for its guest; it is made anew "
			"when that has detached",
			v->uuid);
		return;
	}
	if (v->mdev && !v->mdev->assigned_known) {
		planner_block(p, v, "Unreadable", "unreadable", v->config->section,
			"what its device %s has cannot be read safely, so it is left alone; remove "
			"it by hand to have it made anew",
			v->uuid);
		return;
	}
	if (v->mdev && verdict_is_busy(v)) {
		judge_live(p, v);
	} else {
		v->has_target = true;
		v->target = *want;
		verdict_set(p, v, VERDICT_FINE, "AsConfigured", "%s", "");
	}
	judge_incomplete(p, v);
}

/* A removal that is to be, unless it failed a moment ago. */
static void judge_leaving(struct planner *p, struct verdict *v, const char *why)
{
	judge_removal(p, v, why);
	if (!v->has_target)
		judge_hold(p, v);
}

static const char stopped[] = "it was stopped by hand";

static void judge_idle(struct planner *p, struct verdict *v, const struct ledger_entry *e)
{
	/* However it was stopped, its guest brings it back. */
	if (v->config->start == START_GUEST)
		verdict_set(
			p, v, VERDICT_IDLE, "NotStarted", "it is started when its guest starts");
	else if (e && e->intent == INTENT_STOPPED)
		verdict_set(p, v, VERDICT_IDLE, "Stopped", "%s", stopped);
	else
		verdict_set(p, v, VERDICT_IDLE, "NotStarted", "it is started by hand");
}

static void judge_defined(struct planner *p, struct verdict *v, bool shared_uuid, bool owner)
{
	const struct ledger_entry *e = ledger_find(p->ledger, v->uuid);

	v->mdev = owner ? observed_find_mdev(p->observed, v->uuid) : NULL;
	v->ours = v->mdev || (e && e->made && owner);
	v->wanted = is_wanted(v->config, e, v->mdev);
	if (shared_uuid) {
		/* config_check_uuids() has named both places. */
		verdict_freeze(v);
		verdict_set(p, v, VERDICT_BLOCKED, "DuplicateUUID",
			"another matrix has the same UUID; give each its own");
		return;
	}
	if (!check_definition(p, v))
		return;
	if (v->wanted)
		judge_wanted(p, v, e);
	else if (v->mdev)
		judge_leaving(
			p, v, v->config->start == START_GUEST ? "its guest has ended" : stopped);
	else
		judge_idle(p, v, e);
}

/* ---- devices that no drop-in names ---- */

/* Nobody has declared what an adopted device should have, and whoever made it may still be filling
 * it: what others assign is accepted, never undone. */
static void judge_adopted(struct planner *p, struct verdict *v)
{
	v->ours = true;
	v->wanted = true;
	verdict_freeze(v);
	if (!judge_hold(p, v))
		verdict_set(p, v, VERDICT_FINE, "Adopted", "%s", "");
}

static void judge_undefined(struct planner *p, struct verdict *v)
{
	const struct ledger_entry *e = ledger_find(p->ledger, v->uuid);
	enum foreign_mode mode = p->config->host.foreign;

	if (e && e->made && !e->adopted) {
		v->ours = true;
		judge_leaving(p, v, "no drop-in names it any more");
		return;
	}
	if (e && e->made && e->intent == INTENT_STOPPED) {
		v->ours = true;
		judge_leaving(p, v, stopped);
	} else if (mode == FOREIGN_ADOPT) {
		judge_adopted(p, v);
	} else if (mode == FOREIGN_REMOVE) {
		judge_leaving(p, v, "no drop-in names it, and Foreign=remove");
	} else {
		verdict_freeze(v);
		verdict_set(p, v, VERDICT_FOREIGN, "Foreign",
			"no drop-in names it; it is left as it is (Foreign=keep)");
	}
}

static bool config_names(const struct matrix_config *const *by_uuid, size_t n, const char *uuid)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = strcmp(by_uuid[mid]->uuid, uuid);

		if (r == 0)
			return true;
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* What the other definitions mean for each: does another have its UUID, and whose is the device? */
struct sharing {
	bool shared, owner;
};

static void judge_all_defined(struct planner *p, const struct matrix_config *const *by_uuid,
	struct sharing *sharing, size_t n)
{
	struct plan *plan = p->plan;

	for (size_t i = 0; i < n; i++) {
		bool has_uuid = by_uuid[i]->uuid[0];
		struct sharing *s = &sharing[by_uuid[i] - p->config->matrices];

		s->shared = has_uuid && shares_uuid(by_uuid, n, i);
		s->owner = has_uuid && owns_uuid(p, by_uuid, n, i);
	}
	for (size_t i = 0; i < n; i++) {
		struct verdict *v = &plan->verdicts[plan->n_verdicts++];

		v->config = &p->config->matrices[i];
		memcpy(v->uuid, v->config->uuid, UUID_SIZE);
		judge_defined(p, v, sharing[i].shared, sharing[i].owner);
	}
}

static void judge_all_undefined(
	struct planner *p, const struct matrix_config *const *by_uuid, size_t n)
{
	for (size_t i = 0; i < p->observed->n_mdevs; i++) {
		struct verdict *v = &p->plan->verdicts[p->plan->n_verdicts];

		if (config_names(by_uuid, n, p->observed->mdevs[i].uuid))
			continue;
		v->mdev = &p->observed->mdevs[i];
		memcpy(v->uuid, v->mdev->uuid, UUID_SIZE);
		p->plan->n_verdicts++;
		judge_undefined(p, v);
	}
}

void planner_judge(struct planner *p)
{
	size_t n = p->config->n_matrices;
	_cleanup_free_ const struct matrix_config **by_uuid = calloc(n + 1, sizeof(*by_uuid));
	_cleanup_free_ struct sharing *sharing = calloc(n + 1, sizeof(*sharing));

	p->plan->verdicts = calloc(n + p->observed->n_mdevs + 1, sizeof(*p->plan->verdicts));
	if (!by_uuid || !sharing || !p->plan->verdicts) {
		p->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		by_uuid[i] = &p->config->matrices[i];
	qsort(by_uuid, n, sizeof(*by_uuid), compare_uuid);
	judge_all_defined(p, by_uuid, sharing, n);
	judge_all_undefined(p, by_uuid, n);
}
