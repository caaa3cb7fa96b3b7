/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log as a value: what was told of each device, what was heard since, and how the two make
 * what is told next.
 *
 * Between two looks of one device attach and detach take turns, so the counts of both looks say
 * how many of each there were and in which order.  Each is a slot.  Events that were heard go into
 * the slots that they fit; where slots are left over, events were lost, most likely where numbers
 * of the module's sequence are missing.
 */
#include "core/attach_log.h"

#include <string.h>

#define HEARD_MAX 16384u /* events waiting for a look; beyond that the oldest count as lost */
#define NUMBERS 1024u    /* last numbers heard, of any device, that are remembered */
#define SLOTS_MAX 20000u /* attaches and detaches between two looks; more is no count any more */
#define LOOKS_MAX 2u     /* looks that an event waits to be confirmed */

static const char *const attach_event_type_table[] = {
	[EVENT_ATTACH] = "attach",
	[EVENT_ATTACH_FAILED] = "attach-failed",
	[EVENT_DETACH] = "detach",
};
DEFINE_STRTAB(attach_event_type, enum attach_event_type)

struct heard {
	struct attach_event event;
	unsigned looks; /* that have not confirmed it */
	bool done;      /* told, or made up for */
};

/* What tells a doubled event from a new one. */
struct number {
	uint64_t seq;
	uint32_t uuid; /* hash */
	uint8_t type;
};

struct attach_log {
	bool looked;
	struct attach_told *told; /* by UUID */
	size_t n_told;
	struct heard *heard; /* by number */
	size_t n_heard;
	struct number numbers[NUMBERS]; /* the last heard */
	size_t n_numbers;
};

/* What is told, as it grows. */
struct news {
	struct attach_event *items;
	size_t n, room;
};

struct attach_log *attach_log_new(void)
{
	return calloc(1, sizeof(struct attach_log));
}

void attach_log_free(struct attach_log *l)
{
	if (!l)
		return;
	free(l->told);
	free(l->heard);
	free(l);
}

const struct attach_told *attach_log_told(const struct attach_log *l, size_t *ret_n)
{
	*ret_n = l->n_told;
	return l->told;
}

int attach_log_restore(struct attach_log *l, const struct attach_told *told)
{
	struct attach_told *more = reallocarray(l->told, l->n_told + 1, sizeof(*more));
	size_t at = l->n_told;

	if (!more)
		return -ENOMEM;
	l->told = more;
	while (at > 0 && strcmp(more[at - 1].uuid, told->uuid) > 0)
		at--;
	memmove(more + at + 1, more + at, (l->n_told - at) * sizeof(*more));
	more[at] = *told;
	l->n_told++;
	return 0;
}

void attach_log_restored(struct attach_log *l)
{
	l->looked = true;
}

/* ---- what is heard ---- */

static void heard_drop(struct attach_log *l, size_t i)
{
	l->n_heard--;
	memmove(l->heard + i, l->heard + i + 1, (l->n_heard - i) * sizeof(*l->heard));
}

static size_t n_numbers(const struct attach_log *l)
{
	return l->n_numbers < NUMBERS ? l->n_numbers : NUMBERS;
}

static struct number number_of(const struct attach_event *e)
{
	struct number n = {.seq = e->seq, .type = (uint8_t)e->type};

	for (const char *c = e->uuid; *c; c++)
		n.uuid = 31 * n.uuid + (unsigned char)*c;
	return n;
}

/* Also if it has been told since. */
static bool was_heard(const struct attach_log *l, const struct number *n)
{
	for (size_t i = 0; i < n_numbers(l); i++)
		if (l->numbers[i].seq == n->seq && l->numbers[i].uuid == n->uuid &&
			l->numbers[i].type == n->type)
			return true;
	return false;
}

int attach_log_hear(struct attach_log *l, const struct attach_event *e)
{
	struct number number = number_of(e);
	struct heard *more;
	size_t at;

	if (was_heard(l, &number))
		return 0;
	if (l->n_heard == HEARD_MAX)
		heard_drop(l, 0);
	more = reallocarray(l->heard, l->n_heard + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	l->heard = more;
	for (at = l->n_heard; at > 0 && more[at - 1].event.seq > e->seq;)
		at--;
	memmove(more + at + 1, more + at, (l->n_heard - at) * sizeof(*more));
	more[at] = (struct heard){.event = *e};
	l->n_heard++;
	l->numbers[l->n_numbers++ % NUMBERS] = number;
	return 0;
}

/* How many numbers between the two were heard of no device. */
static uint64_t n_missing(const struct attach_log *l, uint64_t low, uint64_t high)
{
	uint64_t missing = high > low ? high - low - 1 : 0;

	for (size_t i = 0; i < n_numbers(l) && missing > 0; i++)
		if (l->numbers[i].seq > low && l->numbers[i].seq < high)
			missing--;
	return missing;
}

static bool is_missing(const struct attach_log *l, uint64_t seq)
{
	for (size_t i = 0; i < n_numbers(l); i++)
		if (l->numbers[i].seq == seq)
			return false;
	return true;
}

/* ---- what is told ---- */

static struct attach_event *news_add(struct news *news, const char *uuid)
{
	struct attach_event *e;

	if (news->n == news->room) {
		size_t room = news->room ? 2 * news->room : 8;
		struct attach_event *more = reallocarray(news->items, room, sizeof(*more));

		if (!more)
			return NULL;
		news->items = more;
		news->room = room;
	}
	e = &news->items[news->n++];
	*e = (struct attach_event){};
	memcpy(e->uuid, uuid, UUID_SIZE);
	return e;
}

static int news_tell(struct news *news, const char *uuid, enum attach_event_type type, uint64_t seq,
	uint32_t pid)
{
	struct attach_event *e = news_add(news, uuid);

	if (!e)
		return -ENOMEM;
	e->type = type;
	e->seq = seq;
	e->pid = pid;
	return 0;
}

static int news_copy(struct news *news, const struct attach_event *event)
{
	struct attach_event *e = news_add(news, event->uuid);

	if (!e)
		return -ENOMEM;
	*e = *event;
	return 0;
}

/* One device between two looks. */
struct interval {
	const struct attach_log *log;
	const struct attach_told *was, *is;
	const struct attach_event **heard; /* of this device, by number */
	size_t n_heard;
};

static bool is_change(const struct attach_event *e)
{
	return e->type != EVENT_ATTACH_FAILED;
}

/* True if the module counted all the way from one look to the other. */
static bool is_counted(const struct interval *in)
{
	const struct attach_told *was = in->was, *is = in->is;

	return was->by_module && is->by_module && is->seq >= was->seq && is->count >= was->count &&
		is->count - was->count < SLOTS_MAX / 2 &&
		(!is->attached || was->attached || is->count > was->count);
}

static size_t n_slots(const struct interval *in)
{
	size_t attaches = (size_t)(in->is->count - in->was->count);

	/* As many detaches as it takes to get from the one state to the other. */
	return 2 * attaches + in->was->attached - in->is->attached;
}

/* The number of the heard change @i; those before the first and after the last are the looks'. */
static uint64_t number_before(const struct interval *in, size_t i)
{
	return i > 0 ? in->heard[i - 1]->seq : in->was->seq;
}

static uint64_t number_after(const struct interval *in, size_t i)
{
	return i < in->n_heard ? in->heard[i]->seq : in->is->seq + 1;
}

static bool is_other(uint32_t a, uint32_t b)
{
	return a != 0 && b != 0 && a != b;
}

/* True if a guest went and another came between the heard change before @i and @i itself: what
 * an attach and the next detach say, or a look, are different processes. */
static bool is_other_guest(const struct interval *in, size_t i, bool attached)
{
	uint32_t before = i > 0 ? in->heard[i - 1]->pid : in->was->pid;

	return attached && is_other(before, i < in->n_heard ? in->heard[i]->pid : in->is->pid);
}

/* Where a guest that nobody heard of came and went: where the device's last number says so, else
 * where most numbers are missing. */
static size_t find_gap(const struct interval *in, const size_t *lost)
{
	size_t best = in->n_heard;

	if (lost[best] == 0 && is_missing(in->log, in->is->seq) && in->is->seq > in->was->seq)
		return best;
	for (size_t i = 0; i < in->n_heard; i++)
		if (n_missing(in->log, number_before(in, i), number_after(in, i)) >
			n_missing(in->log, number_before(in, best), number_after(in, best)))
			best = i;
	return best;
}

/*
 * How many events were lost before each heard one, and after the last: at least those without
 * which attach and detach would not take turns, or a guest end as another.  What the count says
 * beyond that goes in pairs.  False: what was heard does not fit between the two looks.
 */
static bool find_lost(const struct interval *in, size_t *lost)
{
	bool attached = in->was->attached;
	size_t n = in->n_heard, sum = n, all = n_slots(in);

	for (size_t i = 0; i <= n; i++) {
		bool must = i < n ? in->heard[i]->type == EVENT_DETACH : in->is->attached;

		lost[i] = attached != must;
		if (lost[i] == 0 && is_other_guest(in, i, attached))
			lost[i] = 2;
		sum += lost[i];
		attached = i < n ? !must : must;
	}
	if (sum > all)
		return false;
	if (sum < all)
		lost[find_gap(in, lost)] += all - sum; /* even: both ends have their state */
	return true;
}

/* An attach and the detach that ends it are of one process; there is at least one slot. */
static void fill_in_pids(const struct interval *in, struct attach_event *slots, size_t n)
{
	if (slots[0].type == EVENT_DETACH && slots[0].pid == 0)
		slots[0].pid = in->was->pid;
	if (slots[n - 1].type == EVENT_ATTACH && in->is->pid != 0)
		slots[n - 1].pid = in->is->pid;
	for (size_t i = 1; i < n; i++) {
		if (slots[i].type != EVENT_DETACH)
			continue;
		if (slots[i].pid == 0)
			slots[i].pid = slots[i - 1].pid;
		else if (slots[i - 1].pid == 0)
			slots[i - 1].pid = slots[i].pid;
	}
}

/* The events lost before the heard one @i.  Where as many numbers are missing, they are theirs. */
static int tell_lost(
	const struct interval *in, size_t i, size_t n, bool *attached, struct news *news)
{
	uint64_t seq = number_before(in, i), end = number_after(in, i);
	bool known = n_missing(in->log, seq, end) == n;
	int r = 0;

	for (; n > 0 && r == 0; n--) {
		do
			seq++;
		while (known && !is_missing(in->log, seq));
		r = news_tell(news, in->is->uuid, *attached ? EVENT_DETACH : EVENT_ATTACH,
			known                     ? seq
				: i < in->n_heard ? end
						  : in->is->seq,
			0);
		*attached = !*attached;
	}
	return r;
}

/* @lost as find_lost() made it. */
static int tell_slots(const struct interval *in, const size_t *lost, struct news *news)
{
	bool attached = in->was->attached;
	size_t first = news->n;
	int r = 0;

	for (size_t i = 0; i <= in->n_heard && r == 0; i++) {
		r = tell_lost(in, i, lost[i], &attached, news);
		if (r < 0 || i == in->n_heard)
			break;
		r = news_copy(news, in->heard[i]);
		attached = !attached;
	}
	if (news->n > first)
		fill_in_pids(in, news->items + first, news->n - first);
	return r;
}

/* By the module's count; what was heard and does not fit it is not believed. */
static int tell_counted(struct interval *in, struct news *news)
{
	_cleanup_free_ size_t *lost = calloc(in->n_heard + 1, sizeof(*lost));

	if (!lost)
		return -ENOMEM;
	if (!find_lost(in, lost)) {
		in->n_heard = 0;
		lost[0] = n_slots(in);
	}
	return tell_slots(in, lost, news);
}

/* True if what was heard leads from the one look to the other by itself. */
static bool heard_all(const struct interval *in)
{
	bool attached = in->was->attached;

	for (size_t i = 0; i < in->n_heard; i++) {
		if ((in->heard[i]->type == EVENT_DETACH) != attached)
			return false;
		attached = !attached;
	}
	return in->n_heard > 0 && attached == in->is->attached;
}

/* No count tells how often: by what was heard if that makes sense, else by what is different. */
static int tell_different(const struct interval *in, struct news *news)
{
	const struct attach_told *was = in->was, *is = in->is;
	bool other = was->pid != 0 && is->pid != 0 && was->pid != is->pid;
	uint64_t seq = is->by_module ? is->seq : 0;
	int r = 0;

	if (heard_all(in)) {
		for (size_t i = 0; i < in->n_heard && r == 0; i++)
			r = news_copy(news, in->heard[i]);
		return r;
	}
	if (was->attached && (!is->attached || other))
		r = news_tell(news, is->uuid, EVENT_DETACH, seq, was->pid);
	if (r == 0 && is->attached && (!was->attached || other))
		r = news_tell(news, is->uuid, EVENT_ATTACH, seq, is->pid);
	return r;
}

/* True if the event belongs to what the look saw.  A refused attach changes nothing that could be
 * seen. */
static bool is_seen(const struct attach_told *was, const struct attach_told *is, bool gone,
	const struct attach_event *e)
{
	/* A module that was loaded anew counts from the start. */
	bool anew = !was->by_module || (is->by_module && is->seq < was->seq);

	return !is_change(e) ||
		((gone || !is->by_module || e->seq <= is->seq) && (anew || e->seq > was->seq));
}

static int tell_device(struct attach_log *l, const struct attach_told *was,
	const struct attach_told *is, bool gone, struct news *news)
{
	_cleanup_free_ const struct attach_event **heard =
		calloc(l->n_heard + 1, sizeof(struct attach_event *));
	struct interval in = {.log = l, .was = was, .is = is, .heard = heard};
	int r;

	if (!heard)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_heard; i++) {
		const struct attach_event *e = &l->heard[i].event;

		if (strcmp(e->uuid, is->uuid) != 0 || !is_seen(was, is, gone, e))
			continue;
		l->heard[i].done = true;
		if (is_change(e)) {
			heard[in.n_heard++] = e;
			continue;
		}
		r = news_copy(news, e);
		if (r < 0)
			return r;
	}
	return is_counted(&in) ? tell_counted(&in, news) : tell_different(&in, news);
}

/* ---- a look ---- */

static const struct attach_told *told_find(const struct attach_log *l, const char *uuid)
{
	size_t low = 0, high = l->n_told;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = strcmp(l->told[mid].uuid, uuid);

		if (r == 0)
			return &l->told[mid];
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static struct attach_told seen(const struct observed_mdev *m)
{
	struct attach_told t = {
		.attached = m->attach == ATTACH_YES,
		.by_module = m->attach_source == ATTACH_FROM_MODULE,
		.pid = m->attach == ATTACH_YES ? m->vm_pid : 0,
		.count = m->attach_count,
		.seq = m->attach_seq,
	};

	memcpy(t.uuid, m->uuid, UUID_SIZE);
	return t;
}

/* What is to be known of a device afterwards, in *ret_told. */
static int look_at_device(struct attach_log *l, const struct observed_mdev *m, struct news *news,
	struct attach_told *ret_told)
{
	const struct attach_told *was = told_find(l, m->uuid);
	struct attach_told is = seen(m), nobody = {.by_module = is.by_module};

	if (m->attach == ATTACH_UNKNOWN) {
		*ret_told = was ? *was : nobody;
		memcpy(ret_told->uuid, m->uuid, UUID_SIZE);
		return 0;
	}
	/* Whoever has it now may have no process that could be seen. */
	if (was && was->attached && is.attached && is.pid == 0 && !is.by_module)
		is.pid = was->pid;
	*ret_told = is;
	if (!was && !l->looked)
		return 0;
	return tell_device(l, was ? was : &nobody, &is, false, news);
}

/* A device that has gone has no guest, and no count. */
static int look_at_gone(struct attach_log *l, const struct attach_told *was, struct news *news)
{
	struct attach_told is = {.attached = false};

	memcpy(is.uuid, was->uuid, UUID_SIZE);
	return tell_device(l, was, &is, true, news);
}

static int compare_news(const void *a, const void *b)
{
	const struct attach_event *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	/* Without numbers: whoever changes devices lets go first. */
	if (x->seq == 0 && x->type != y->type)
		return x->type == EVENT_DETACH ? -1 : 1;
	return 0;
}

/* By number, and otherwise as it is: a device's own are in order already. */
static int news_sort(struct news *news)
{
	_cleanup_free_ struct attach_event *from = NULL;
	struct attach_event *to = news->items;

	if (news->n < 2)
		return 0;
	from = reallocarray(NULL, news->n, sizeof(*from));
	if (!from)
		return -ENOMEM;
	for (size_t width = 1; width < news->n; width *= 2) {
		memcpy(from, to, news->n * sizeof(*from));
		for (size_t low = 0, k = 0; low < news->n; low += 2 * width) {
			size_t mid = low + width < news->n ? low + width : news->n;
			size_t high = mid + width < news->n ? mid + width : news->n;
			size_t i = low, j = mid;

			while (i < mid || j < high) {
				bool left = j == high ||
					(i < mid && compare_news(&from[i], &from[j]) <= 0);

				to[k++] = from[left ? i++ : j++];
			}
		}
	}
	return 0;
}

/* Drops what was told, what came too late, and what no look confirms. */
static void forget_heard(struct attach_log *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n_heard; i++) {
		struct heard *h = &l->heard[i];
		const struct attach_told *is = told_find(l, h->event.uuid);

		if (h->done || (is && is->by_module && h->event.seq <= is->seq) ||
			++h->looks >= LOOKS_MAX)
			continue;
		l->heard[kept++] = *h;
	}
	l->n_heard = kept;
}

int attach_log_look(
	struct attach_log *l, const struct observed *o, struct attach_event **ret, size_t *ret_n)
{
	_cleanup_free_ struct attach_told *told = calloc(o->n_mdevs + l->n_told + 1, sizeof(*told));
	struct news news = {};
	size_t n = 0, i = 0, k = 0;
	int r = told ? 0 : -ENOMEM;

	while (r == 0 && (i < o->n_mdevs || k < l->n_told)) {
		int order = i == o->n_mdevs ? 1
			: k == l->n_told    ? -1
					    : strcmp(o->mdevs[i].uuid, l->told[k].uuid);

		if (order > 0 && !o->complete)
			told[n++] = l->told[k++];
		else if (order > 0)
			r = look_at_gone(l, &l->told[k++], &news);
		else
			r = look_at_device(l, &o->mdevs[i++], &news, &told[n++]);
		if (order == 0)
			k++;
	}
	if (r == 0)
		r = news_sort(&news);
	if (r < 0) {
		free(news.items);
		return r;
	}
	free(l->told);
	l->told = TAKE_PTR(told);
	l->n_told = n;
	l->looked = true;
	forget_heard(l);
	*ret = news.items;
	*ret_n = news.n;
	return 0;
}
