/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guests that come and go.  Each look is held against what was told before (core/attach_log.h); what
 * is new waits until the status that shows it is published, and is then told.  Refused attaches
 * leave a problem behind for as long as the guest has the matrix that it must do with.  Also the
 * names that libvirt's hook gives, which nobody else knows.
 */
#include <string.h>

#include "engine/engine_private.h"
#include "load/guests_file.h"
#include "util/log.h"

/* The libvirt domain that was prepared for, or has, a device. */
struct guest_name {
	char uuid[UUID_SIZE];
	char name[GUEST_NAME_MAX + 1];
};

/* A guest that was refused a second matrix. */
struct refused {
	char uuid[UUID_SIZE];  /* what it wanted */
	char other[UUID_SIZE]; /* what it has */
	uint32_t pid;
	char *message;
};

struct attach {
	struct attach_log *log;
	struct attach_event *news; /* seen, and not told yet */
	size_t n_news;
	struct guest_name *names;
	size_t n_names;
	struct refused *refused;
	size_t n_refused;
	bool looked;
	bool unsaved;
	bool complained;
};

/* ---- names ---- */

static struct guest_name *name_find(const struct attach *a, const char *uuid)
{
	for (size_t i = 0; i < a->n_names; i++)
		if (strcmp(a->names[i].uuid, uuid) == 0)
			return &a->names[i];
	return NULL;
}

static void name_set(struct attach *a, const char *uuid, const char *guest)
{
	struct guest_name *n = name_find(a, uuid);

	if (!n) {
		n = reallocarray(a->names, a->n_names + 1, sizeof(*n));
		if (!n)
			return;
		a->names = n;
		n += a->n_names++;
		*n = (struct guest_name){};
		snprintf(n->uuid, sizeof(n->uuid), "%s", uuid);
	}
	snprintf(n->name, sizeof(n->name), "%s", guest);
	a->unsaved = true;
}

static void name_drop(struct attach *a, const char *uuid)
{
	struct guest_name *n = name_find(a, uuid);

	if (!n)
		return;
	*n = a->names[--a->n_names];
	a->unsaved = true;
}

static bool is_attached(const struct engine *e, const char *uuid)
{
	const struct observed_mdev *m = e->observed ? observed_find_mdev(e->observed, uuid) : NULL;

	return m && m->attach == ATTACH_YES;
}

void attach_released(struct engine *e, const char *uuid, const char *guest)
{
	const struct guest_name *n = name_find(e->attach, uuid);

	if (n && strcmp(n->name, guest) == 0 && !is_attached(e, uuid))
		name_drop(e->attach, uuid);
}

/* Cut where a character begins, if it must be. */
static void copy_name(char to[static VM_NAME_SIZE], const char *name)
{
	size_t n = strnlen(name, VM_NAME_SIZE - 1);

	while (n > 0 && name[n] && ((unsigned char)name[n] & 0xc0) == 0x80)
		n--;
	memcpy(to, name, n);
	to[n] = '\0';
}

static void use_names(struct engine *e)
{
	for (size_t i = 0; i < e->attach->n_names; i++) {
		const struct guest_name *n = &e->attach->names[i];
		struct observed_mdev *m = observed_find_mdev(e->observed, n->uuid);

		if (m && m->attach == ATTACH_YES)
			copy_name(m->vm_name, n->name);
	}
}

/* ---- over a restart ---- */

static bool is_worth_keeping(const struct attach_told *t)
{
	return t->attached || t->seq > 0 || t->count > 0;
}

static void save(struct engine *e)
{
	struct attach *a = e->attach;
	size_t n_told, n = 0;
	const struct attach_told *told = attach_log_told(a->log, &n_told);
	_cleanup_free_ struct guest_record *records =
		calloc(n_told + a->n_names + 1, sizeof(*records));
	int r = records ? 0 : -ENOMEM;

	if (e->dry_run || !a->unsaved)
		return;
	for (size_t i = 0; r == 0 && i < n_told; i++)
		if (is_worth_keeping(&told[i]) || name_find(a, told[i].uuid))
			records[n++].told = told[i];
	for (size_t i = 0; r == 0 && i < a->n_names; i++) {
		size_t k = 0;

		while (k < n && strcmp(records[k].told.uuid, a->names[i].uuid) != 0)
			k++;
		if (k == n)
			memcpy(records[n++].told.uuid, a->names[i].uuid, UUID_SIZE);
		memcpy(records[k].guest, a->names[i].name, sizeof(records[k].guest));
	}
	if (r == 0)
		r = guests_save(e->root, records, n);
	a->unsaved = r < 0;
	if (r < 0 && !a->complained)
		log_warning("run/apmatrixd/guests cannot be written: %s; after a restart of the "
			    "daemon, what happened meanwhile will not be told",
			strerror(-r));
	a->complained = r < 0;
}

/* Kept before the guest is let start: another daemon may see it come. */
void attach_prepared(struct engine *e, const char *uuid, const char *guest)
{
	if (strlen(guest) > GUEST_NAME_MAX)
		return;
	name_set(e->attach, uuid, guest);
	save(e);
}

static int restore(struct engine *e)
{
	_cleanup_free_ struct guest_record *records = NULL;
	size_t n = 0;
	int r = guests_load(e->root, &records, &n);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		log_warning("run/apmatrixd/guests cannot be used: %s; what happened while no "
			    "daemon ran is not told",
			strerror(-r));
		return r == -ENOMEM ? r : 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (records[i].guest[0])
			name_set(e->attach, records[i].told.uuid, records[i].guest);
		r = attach_log_restore(e->attach->log, &records[i].told);
		if (r < 0)
			return r;
	}
	attach_log_restored(e->attach->log);
	return 0;
}

/* ---- refused ---- */

static const char *matrix_label(const struct engine *e, const char *uuid)
{
	const struct matrix_config *c = config_find_uuid(e->config, uuid);

	return c ? c->name : uuid;
}

/* The matrix that the virtual machine of a process has. */
static const struct observed_mdev *matrix_of(const struct engine *e, uint32_t pid)
{
	for (size_t i = 0; pid != 0 && i < e->observed->n_mdevs; i++) {
		const struct observed_mdev *m = &e->observed->mdevs[i];

		if (m->attach == ATTACH_YES && m->vm_pid == pid)
			return m;
	}
	return NULL;
}

static char *refused_text(
	const struct engine *e, const struct attach_event *v, const struct observed_mdev *other)
{
	const char *wanted = matrix_label(e, v->uuid);
	char *text = NULL;
	int r;

	if (v->error == -EPERM && other)
		r = asprintf(&text,
			"guest %s (process %u) was refused %s: it has %s already, and the kernel "
			"gives a guest only one matrix; take one of the two out of the "
			"guest's definition%s%s%s",
			other->vm_name[0] ? other->vm_name : v->comm, v->pid, wanted,
			matrix_label(e, other->uuid),
			e->observed->hazards & HAZARD_REFUSED_OPEN
				? "; this kernel has harmed the interrupts of "
				: "",
			e->observed->hazards & HAZARD_REFUSED_OPEN ? matrix_label(e, other->uuid)
								   : "",
			e->observed->hazards & HAZARD_REFUSED_OPEN
				? " by that: restart the guest (see Hazards, refused-open)"
				: "");
	else if (v->error == -EPERM)
		r = asprintf(&text,
			"process %u, %s, was refused %s: its virtual machine has another matrix, "
			"and the kernel gives a guest only one",
			v->pid, v->comm, wanted);
	else if (v->error == -EINVAL)
		r = asprintf(&text,
			"process %u, %s, was refused %s: it opened the device without a "
			"virtual machine (KVM)",
			v->pid, v->comm, wanted);
	else
		r = asprintf(&text, "process %u, %s, was refused %s: %s", v->pid, v->comm, wanted,
			strerror(-v->error));
	return r < 0 ? NULL : text;
}

static void refused_drop(struct attach *a, size_t i)
{
	free(a->refused[i].message);
	a->refused[i] = a->refused[--a->n_refused];
}

/* Keeps what is a problem for as long as the guest has the other one; takes @text over. */
static void refused_keep(struct attach *a, const struct attach_event *v,
	const struct observed_mdev *other, char *text)
{
	struct refused *more;

	for (size_t i = 0; i < a->n_refused; i++)
		if (strcmp(a->refused[i].uuid, v->uuid) == 0 && a->refused[i].pid == v->pid)
			refused_drop(a, i--);
	more = reallocarray(a->refused, a->n_refused + 1, sizeof(*more));
	if (!more) {
		free(text);
		return;
	}
	a->refused = more;
	more += a->n_refused++;
	*more = (struct refused){.pid = v->pid, .message = text};
	memcpy(more->uuid, v->uuid, UUID_SIZE);
	memcpy(more->other, other->uuid, UUID_SIZE);
}

static void refused_forget(struct engine *e)
{
	struct attach *a = e->attach;

	for (size_t i = 0; i < a->n_refused; i++) {
		const struct refused *f = &a->refused[i];
		const struct observed_mdev *m = observed_find_mdev(e->observed, f->other);

		if (!m || m->attach == ATTACH_NO || (m->vm_pid != 0 && m->vm_pid != f->pid))
			refused_drop(a, i--);
	}
}

int attach_problems(const struct engine *e, struct problems *problems)
{
	const struct attach *a = e->attach;
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_refused; i++) {
		const struct refused *f = &a->refused[i];
		const struct matrix_config *c = config_find_uuid(e->config, f->uuid);

		r = problems_add(problems, PROBLEM_WARNING, "attach-failed",
			matrix_label(e, f->uuid), c ? c->section.file : NULL,
			c ? c->section.line : 0, "%s", f->message);
	}
	return r;
}

/* ---- looks ---- */

static bool add_news(struct attach *a, const struct attach_event *news, size_t n)
{
	struct attach_event *more = reallocarray(a->news, a->n_news + n + 1, sizeof(*more));

	if (!more) {
		log_error("out of memory: some attaches and detaches are not told");
		return false;
	}
	a->news = more;
	memcpy(more + a->n_news, news, n * sizeof(*news));
	a->n_news += n;
	return true;
}

void attach_look(struct engine *e)
{
	struct attach *a = e->attach;
	_cleanup_free_ struct attach_event *news = NULL;
	size_t n = 0;

	if (attach_log_look(a->log, e->observed, &news, &n) < 0) {
		log_error("out of memory: attaches and detaches are told after the next look");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (news[i].type == EVENT_DETACH && !is_attached(e, news[i].uuid))
			name_drop(a, news[i].uuid);
	a->unsaved |= !a->looked;
	a->looked = true;
	use_names(e);
	refused_forget(e);
	if (n == 0)
		return;
	a->unsaved = true;
	add_news(a, news, n);
	for (size_t i = 0; i < n; i++) {
		const struct observed_mdev *other = matrix_of(e, news[i].pid);
		char *text;

		if (news[i].type != EVENT_ATTACH_FAILED || news[i].error != -EPERM || !other)
			continue;
		text = refused_text(e, &news[i], other);
		if (text)
			refused_keep(a, &news[i], other, text);
	}
}

bool attach_has_news(const struct engine *e)
{
	return e->attach->n_news > 0;
}

static void tell_refused(
	struct engine *e, const struct matrix_status *m, const struct attach_event *v)
{
	_cleanup_free_ char *text = refused_text(e, v, matrix_of(e, v->pid));

	if (e->events.attach_failed)
		e->events.attach_failed(
			e->events.userdata, m, v->pid, v->seq, -v->error, text ? text : "");
}

void attach_tell(struct engine *e, const struct status *old)
{
	struct attach *a = e->attach;

	for (size_t i = 0; i < a->n_news; i++) {
		const struct attach_event *v = &a->news[i];
		const struct matrix_status *m = status_find(e->status, v->uuid);

		/* A device that has gone has no object any more; nobody else had one, either. */
		if (!m)
			m = old ? status_find(old, v->uuid) : NULL;
		if (!m)
			continue;
		if (v->type == EVENT_ATTACH_FAILED)
			tell_refused(e, m, v);
		else if (e->events.attach)
			e->events.attach(
				e->events.userdata, m, v->type == EVENT_ATTACH, v->pid, v->seq);
	}
	a->n_news = 0;
	save(e);
}

void engine_attach_event(struct engine *e, uint64_t now, const struct attach_event *event)
{
	/* One that is not remembered counts as lost: the next look makes up for it. */
	(void)attach_log_hear(e->attach->log, event);
	engine_poke(e, now);
}

int attach_init(struct engine *e)
{
	e->attach = calloc(1, sizeof(*e->attach));
	if (!e->attach)
		return -ENOMEM;
	e->attach->log = attach_log_new();
	return e->attach->log ? restore(e) : -ENOMEM;
}

void attach_done(struct engine *e)
{
	struct attach *a = e->attach;

	if (!a)
		return;
	while (a->n_refused > 0)
		refused_drop(a, 0);
	attach_log_free(a->log);
	free(a->news);
	free(a->names);
	free(a->refused);
	free(a);
}
