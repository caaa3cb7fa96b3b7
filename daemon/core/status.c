/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From verdicts and observation to what is published: one word, three matrices, conditions with
 * reason and message.  Copies everything, so that a status outlives what it was made from.
 */
#include "core/status.h"

#include <string.h>

static const char *const matrix_state_table[] = {
	[MATRIX_DEFINED] = "defined",
	[MATRIX_ACTIVE] = "active",
	[MATRIX_ATTACHED] = "attached",
	[MATRIX_DEGRADED] = "degraded",
	[MATRIX_PENDING] = "pending",
	[MATRIX_FAILED] = "failed",
	[MATRIX_FOREIGN] = "foreign",
};
DEFINE_STRTAB(matrix_state, enum matrix_state);

static const char *const condition_type_table[] = {
	[CONDITION_VALID] = "Valid",
	[CONDITION_PRESENT] = "Present",
	[CONDITION_ASSIGNED] = "Assigned",
	[CONDITION_EFFECTIVE] = "Effective",
	[CONDITION_ATTACHED] = "Attached",
	[CONDITION_APPLYING] = "Applying",
};
DEFINE_STRTAB(condition_type, enum condition_type);

static const char *const host_state_table[] = {
	[HOST_STARTING] = "starting",
	[HOST_WAITING] = "waiting",
	[HOST_APPLYING] = "applying",
	[HOST_RUNNING] = "running",
	[HOST_DEGRADED] = "degraded",
};
DEFINE_STRTAB(host_state, enum host_state);

/* ---- one matrix ---- */

static bool guest_is_whole(const struct observed_mdev *mdev)
{
	return mdev->guest_known && mask_equal(&mdev->guest.adapters, &mdev->assigned.adapters) &&
		mask_equal(&mdev->guest.domains, &mdev->assigned.domains);
}

static enum matrix_state state_without_device(const struct verdict *v)
{
	if (v->kind == VERDICT_PENDING)
		return MATRIX_PENDING;
	if (!v->wanted || v->kind == VERDICT_FINE)
		return MATRIX_DEFINED;
	/* A host without the driver has failed nobody: it waits (HOST_WAITING). */
	return strcmp(v->reason, "NoDriver") == 0 ? MATRIX_DEFINED : MATRIX_FAILED;
}

static enum matrix_state state_of(const struct verdict *v)
{
	const struct observed_mdev *mdev = v->mdev;

	if (!mdev)
		return state_without_device(v);
	if (v->kind == VERDICT_FOREIGN)
		return MATRIX_FOREIGN;
	if (v->kind == VERDICT_PENDING || v->kind == VERDICT_LEAVING)
		return MATRIX_PENDING;
	/* It should go, and cannot. */
	if (!v->wanted && (v->kind == VERDICT_HELD || v->kind == VERDICT_BLOCKED))
		return MATRIX_DEGRADED;
	if (v->config && v->kind == VERDICT_FINE && mdev->assigned_known &&
		!matrix_equal(&mdev->assigned, &v->config->want))
		return MATRIX_PENDING; /* it is about to be changed */
	if (!mdev->assigned_known ||
		(v->config && !matrix_equal(&mdev->assigned, &v->config->want)) ||
		(mdev->guest_known && !guest_is_whole(mdev)))
		return MATRIX_DEGRADED;
	return mdev->attach == ATTACH_YES ? MATRIX_ATTACHED : MATRIX_ACTIVE;
}

/* Sets a condition; false where memory ran out.  @message may be NULL. */
static bool condition_set(struct matrix_status *m, enum condition_type type, bool status,
	const char *reason, const char *message)
{
	struct condition *c = &m->conditions[type];

	c->status = status;
	c->reason = reason;
	c->message = strdup(message ? message : "");
	return c->message;
}

static void print_missing(FILE *f, const char *what, const struct mask *missing, const char *why,
	const char **separator)
{
	char list[MASK_LIST_SIZE];

	if (mask_is_empty(missing))
		return;
	mask_format_list(missing, list);
	fprintf(f, "%s%s%s %s (%s)", *separator, what, mask_count(missing) == 1 ? "" : "s", list,
		why);
	*separator = "; ";
}

/* Adapters that are out because vfio_ap does not drive each of their queues; takes them from
 * @adapters. */
static void print_unbound(FILE *f, const struct observed *o, const struct observed_mdev *mdev,
	struct mask *adapters, const char **separator)
{
	struct mask there = mask_and(&mdev->assigned.domains, &o->host_domains), all = *adapters;

	MASK_FOREACH (a, &all) {
		struct mask unbound = mask_andnot(&there, &o->vfio.row[a]), one = {};
		char why[64], queue[QUEUE_NAME_SIZE];

		if (mask_is_empty(&unbound))
			continue;
		queue_format(a, mask_next(&unbound, 0), queue);
		snprintf(why, sizeof(why), "vfio_ap does not drive its queue %s", queue);
		mask_set(&one, a);
		mask_clear(adapters, a);
		print_missing(f, "adapter", &one, why, separator);
	}
}

/* Which adapters and domains the guest lacks, and why (vfio_ap_mdev_filter_matrix()). */
static char *missing_text(const struct observed *o, const struct observed_mdev *mdev)
{
	static const char absent[] = "not in the host's AP configuration";
	struct mask adapters = mask_andnot(&mdev->assigned.adapters, &mdev->guest.adapters);
	struct mask domains = mask_andnot(&mdev->assigned.domains, &mdev->guest.domains);
	struct mask no_adapter = mask_andnot(&adapters, &o->host_adapters);
	struct mask no_domain = mask_andnot(&domains, &o->host_domains);
	const char *separator = "the guest lacks ";
	size_t size;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	adapters = mask_andnot(&adapters, &no_adapter);
	domains = mask_andnot(&domains, &no_domain);
	print_missing(f, "adapter", &no_adapter, absent, &separator);
	print_missing(f, "domain", &no_domain, absent, &separator);
	print_unbound(f, o, mdev, &adapters, &separator);
	print_missing(f, "adapter", &adapters, "taken out by the kernel", &separator);
	/* A domain is out where no adapter is left for it; the adapters above say why. */
	if (!mask_is_empty(&mdev->guest.adapters))
		print_missing(f, "domain", &domains, "taken out by the kernel", &separator);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static bool set_effective(
	struct matrix_status *m, const struct observed *o, const struct verdict *v)
{
	_cleanup_free_ char *text = NULL;

	if (!v->mdev)
		return condition_set(m, CONDITION_EFFECTIVE, false, "NoDevice", NULL);
	if (!v->mdev->assigned_known)
		return condition_set(m, CONDITION_EFFECTIVE, false, "Unknown",
			"nothing of the device can be read");
	if (!v->mdev->guest_known && !(o->features & FEATURE_GUEST_MATRIX))
		return condition_set(m, CONDITION_EFFECTIVE, false, "Unknown",
			"this kernel does not show what the guest may use");
	if (!v->mdev->guest_known)
		return condition_set(m, CONDITION_EFFECTIVE, false, "Unknown",
			"with 512 or more queues the kernel cannot show what the guest may use");
	if (guest_is_whole(v->mdev))
		return condition_set(m, CONDITION_EFFECTIVE, true, "Complete", NULL);
	text = missing_text(o, v->mdev);
	return text && condition_set(m, CONDITION_EFFECTIVE, false, "Filtered", text);
}

static bool set_assigned(struct matrix_status *m, const struct verdict *v)
{
	if (!v->mdev)
		return condition_set(m, CONDITION_ASSIGNED, false, "NoDevice", NULL);
	if (!v->config && strcmp(v->reason, "Adopted") != 0)
		return condition_set(m, CONDITION_ASSIGNED, false,
			v->kind == VERDICT_HELD ? v->reason : "NotConfigured", v->message);
	if (!v->config && v->mdev->assigned_known && matrix_equal(&v->mdev->assigned, &v->target))
		return condition_set(m, CONDITION_ASSIGNED, true, "Adopted", NULL);
	if (!v->config)
		return condition_set(
			m, CONDITION_ASSIGNED, false, "NotYet", "it is about to be changed");
	if (v->wanted && v->mdev->assigned_known &&
		matrix_equal(&v->mdev->assigned, &v->config->want))
		return condition_set(m, CONDITION_ASSIGNED, true, "AsConfigured", NULL);
	if (v->kind == VERDICT_FINE)
		return condition_set(
			m, CONDITION_ASSIGNED, false, "NotYet", "it is about to be changed");
	return condition_set(m, CONDITION_ASSIGNED, false, v->reason, v->message);
}

static const char *attach_reason(const struct observed_mdev *mdev)
{
	static const char *const reason[] = {
		[ATTACH_FROM_NOTHING] = "Unknown",
		[ATTACH_FROM_MODULE] = "SeenByModule",
		[ATTACH_FROM_FDINFO] = "SeenInFdinfo",
		[ATTACH_FROM_PROC] = "SeenInProc",
		[ATTACH_FROM_STATUS] = "SeenInQueueStatus",
	};

	if (!mdev)
		return "NoDevice";
	if (mdev->attach == ATTACH_NO)
		return "Detached";
	if (mdev->attach == ATTACH_UNKNOWN || mdev->attach_source >= ARRAY_SIZE(reason))
		return "Unknown";
	return reason[mdev->attach_source];
}

static bool is_applying(const struct status_input *in, const char *uuid)
{
	for (size_t i = 0; i < in->n_applying; i++)
		if (strcmp(in->applying[i], uuid) == 0)
			return true;
	return false;
}

static bool set_conditions(
	struct matrix_status *m, const struct status_input *in, const struct verdict *v)
{
	bool blocked = v->kind == VERDICT_BLOCKED, applying = is_applying(in, v->uuid);
	const char *absent = v->kind == VERDICT_FINE ? "NotYet" : v->reason;

	return condition_set(m, CONDITION_VALID, !blocked, blocked ? v->reason : "Valid",
		       blocked ? v->message : NULL) &&
		condition_set(m, CONDITION_PRESENT, v->mdev, v->mdev ? "Exists" : absent,
			v->mdev ? NULL : v->message) &&
		set_assigned(m, v) && set_effective(m, in->observed, v) &&
		condition_set(m, CONDITION_ATTACHED, v->mdev && v->mdev->attach == ATTACH_YES,
			attach_reason(v->mdev), NULL) &&
		condition_set(
			m, CONDITION_APPLYING, applying, applying ? "WriteUnderWay" : "Idle", NULL);
}

static bool origin_add(struct matrix_status *m, const struct origin *o)
{
	char *text;

	if (asprintf(&text, "%s:%u", o->file, o->line) < 0)
		return false;
	m->origin[m->n_origin++] = text;
	return true;
}

static bool set_origin(struct matrix_status *m, const struct matrix_config *c)
{
	m->origin = calloc(c->n_settings + 1, sizeof(*m->origin));
	if (!m->origin || !origin_add(m, &c->section))
		return false;
	for (size_t i = 0; i < c->n_settings; i++)
		if (!origin_add(m, &c->settings[i].origin))
			return false;
	return true;
}

static bool set_definition(struct matrix_status *m, const struct matrix_config *c)
{
	m->name = strdup(c ? c->name : "");
	m->guest = strdup(c ? c->guest : "");
	if (!m->name || !m->guest)
		return false;
	if (!c) {
		m->start = START_MANUAL;
		return true;
	}
	m->configured = c->want;
	m->start = c->start;
	return set_origin(m, c);
}

static bool set_device(struct matrix_status *m, const struct observed_mdev *mdev)
{
	m->vm_name = strdup(mdev ? mdev->vm_name : "");
	if (!m->vm_name)
		return false;
	if (!mdev)
		return true;
	m->assigned = mdev->assigned;
	m->guest_matrix = mdev->guest;
	m->attached = mdev->attach == ATTACH_YES;
	m->attach_source = mdev->attach_source;
	m->attach_confidence = mdev->attach_confidence;
	m->vm_pid = mdev->vm_pid;
	m->attached_since = mdev->attached_since;
	m->attach_count = mdev->attach_count;
	m->attach_seq = mdev->attach_seq;
	return true;
}

static bool matrix_status_init(
	struct matrix_status *m, const struct status_input *in, const struct verdict *v)
{
	memcpy(m->uuid, v->uuid, UUID_SIZE);
	m->state = state_of(v);
	return set_definition(m, v->config) && set_device(m, v->mdev) && set_conditions(m, in, v);
}

static void matrix_status_done(struct matrix_status *m)
{
	for (size_t i = 0; i < N_CONDITIONS; i++)
		free(m->conditions[i].message);
	for (size_t i = 0; i < m->n_origin; i++)
		free(m->origin[i]);
	free(m->origin);
	free(m->name);
	free(m->guest);
	free(m->vm_name);
}

/* ---- the host ---- */

static bool is_trouble(enum matrix_state s)
{
	return s == MATRIX_DEGRADED || s == MATRIX_FAILED;
}

static enum host_state host_state_of(const struct status_input *in, const struct status *s)
{
	if (!in->observed || !in->plan)
		return HOST_STARTING;
	if (in->n_applying > 0)
		return HOST_APPLYING;
	if (!in->observed->has_ap_bus || !in->observed->has_matrix_device)
		return HOST_WAITING;
	if (problems_n_errors(&s->problems) > 0 || !in->observed->complete)
		return HOST_DEGRADED;
	/* What is missing now is what the steps are for. */
	if (in->plan->n_steps > 0)
		return HOST_APPLYING;
	for (size_t i = 0; i < s->n_matrices; i++)
		if (is_trouble(s->matrices[i].state))
			return HOST_DEGRADED;
	return HOST_RUNNING;
}

static int compare_status(const void *a, const void *b)
{
	const struct matrix_status *x = a, *y = b;

	return strcmp(x->uuid, y->uuid);
}

/* Verdicts without a UUID, or whose UUID another has (they are in the problems), have no object:
 * the one that owns the device comes first, else the first by name. */
static int add_matrices(struct status *s, const struct status_input *in)
{
	const struct plan *plan = in->plan;
	size_t n = 0;

	s->matrices = calloc(plan->n_verdicts + 1, sizeof(*s->matrices));
	if (!s->matrices)
		return -ENOMEM;
	for (size_t i = 0; i < plan->n_verdicts; i++) {
		if (plan->verdicts[i].uuid[0] == '\0')
			continue;
		s->n_matrices++;
		if (!matrix_status_init(&s->matrices[s->n_matrices - 1], in, &plan->verdicts[i]))
			return -ENOMEM;
	}
	qsort(s->matrices, s->n_matrices, sizeof(*s->matrices), compare_status);
	for (size_t i = 0; i < s->n_matrices; i++) {
		struct matrix_status *m = &s->matrices[i], *last = n ? &s->matrices[n - 1] : NULL;

		if (!last || strcmp(last->uuid, m->uuid) != 0) {
			s->matrices[n++] = *m;
			continue;
		}
		/* The one with the device is the owner. */
		if (m->conditions[CONDITION_PRESENT].status) {
			struct matrix_status swap = *last;

			*last = *m;
			*m = swap;
		}
		matrix_status_done(m);
	}
	s->n_matrices = n;
	for (size_t i = 0; i < n; i++)
		s->n_attached += s->matrices[i].attached;
	return 0;
}

static enum attach_source best_source(const struct observed *o)
{
	enum attach_source best = ATTACH_FROM_NOTHING;

	if (o->features & FEATURE_MODULE)
		return ATTACH_FROM_MODULE;
	for (size_t i = 0; i < o->n_mdevs; i++) {
		enum attach_source source = o->mdevs[i].attach_source;

		if (source != ATTACH_FROM_NOTHING && (best == ATTACH_FROM_NOTHING || source < best))
			best = source;
	}
	return best;
}

static void set_host(struct status *s, const struct observed *o)
{
	memcpy(s->release, o->release, sizeof(s->release));
	s->features = o->features;
	s->hazards = o->hazards;
	s->attach_source = best_source(o);
	s->max_adapter = o->max_adapter;
	s->max_domain = o->max_domain;
	s->apmask = o->apmask;
	s->aqmask = o->aqmask;
	s->host_adapters = o->host_adapters;
	s->host_domains = o->host_domains;
}

int status_make(const struct status_input *in, struct status **ret)
{
	_cleanup_(cleanup_status_free) struct status *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->config_generation = in->config_generation;
	r = problems_append(&s->problems, in->load_problems);
	if (r < 0)
		return r;
	if (in->observed && in->plan) {
		set_host(s, in->observed);
		s->pool = in->plan->pool;
		r = problems_append(&s->problems, &in->plan->problems);
		if (r < 0)
			return r;
		if (!in->observed->complete &&
			problems_add(&s->problems, PROBLEM_ERROR, "incomplete", NULL, NULL, 0,
				"the host could not be read completely (%s); nothing is removed "
				"until it "
				"can",
				in->observed->incomplete) < 0)
			return -ENOMEM;
		r = add_matrices(s, in);
		if (r < 0)
			return r;
	}
	s->state = host_state_of(in, s);
	*ret = TAKE_PTR(s);
	return 0;
}

void status_free(struct status *s)
{
	for (size_t i = 0; i < s->n_matrices; i++)
		matrix_status_done(&s->matrices[i]);
	free(s->matrices);
	problems_done(&s->problems);
	free(s);
}

const struct matrix_status *status_find(const struct status *s, const char *name_or_uuid)
{
	char uuid[UUID_SIZE];
	bool is_uuid = uuid_normalize(name_or_uuid, uuid);

	for (size_t i = 0; i < s->n_matrices; i++) {
		const struct matrix_status *m = &s->matrices[i];

		if (m->name[0] && strcmp(m->name, name_or_uuid) == 0)
			return m;
		if (is_uuid && strcmp(m->uuid, uuid) == 0)
			return m;
	}
	return NULL;
}
