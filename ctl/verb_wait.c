/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wait: until a matrix has one of some states.  It subscribes first and reads then, and after
 * every signal it reads again, so that no change can slip through between.
 */
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/object_text.h"
#include "ctl/suggest.h"

/* The states of interfaces.md, and ours for what is no more. */
#define STATE_REMOVED "removed"
#define STATE_UNKNOWN "unknown" /* the daemon has not looked around yet */
static const char *const known_states[] = {
	"defined", "active", "attached", "degraded", "pending", "failed", "foreign", STATE_REMOVED};

static bool state_in(const char *list, const char *state, size_t n_state)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == n_state && strncmp(list, state, n) == 0)
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static bool state_is_known(const char *state, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_states); i++)
		if (strlen(known_states[i]) == n && strncmp(known_states[i], state, n) == 0)
			return true;
	return false;
}

static bool states_are_valid(const char *list)
{
	if (!list) {
		ctl_say("wait: --state=STATE is missing");
		return false;
	}
	for (;;) {
		size_t n = strcspn(list, ",");
		_cleanup_free_ char *word = strndup(list, n);
		const char *best;

		if (!state_is_known(list, n)) {
			best = word ? suggest(word, known_states, ARRAY_SIZE(known_states)) : NULL;
			ctl_say("wait: there is no state '%.*s'%s%s%s", (int)n, list,
				best ? "; did you mean '" : "", best ? best : "", best ? "'?" : "");
			return false;
		}
		if (!list[n])
			return true;
		list += n + 1;
	}
}

static uint64_t now_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

struct wait {
	struct ctl *ctl;
	const char *name;
	struct client_matrix seen; /* its state may also be one of ours */
	bool known;                /* it was there once */
	bool changed;              /* look again */
};

static int on_signal(sd_bus_message *m _unused_, void *userdata, sd_bus_error *e _unused_)
{
	struct wait *w = userdata;

	w->changed = true;
	return 0;
}

static int subscribe(struct wait *w)
{
	sd_bus *bus;
	int r = client_open(&w->ctl->client);

	if (r < 0)
		return r;
	bus = w->ctl->client.bus;
	r = sd_bus_match_signal(bus, NULL, APMATRIX_SERVICE, NULL, NULL, NULL, on_signal, w);
	if (r < 0)
		return r;
	return sd_bus_add_match(bus, NULL, CLIENT_OWNER_MATCH, on_signal, w);
}

static int set_state(struct wait *w, const char *state)
{
	char *copy = strdup(state);

	if (!copy)
		return -ENOMEM;
	client_matrix_done(&w->seen);
	w->seen.state = copy;
	return 0;
}

/* There is no matrix of that name: it is gone, or never was, or is not known yet. */
static int look_absent(struct wait *w)
{
	struct client *c = &w->ctl->client;
	sd_bus_error error = c->error;
	struct client_host host;
	bool starting = false;

	c->error = SD_BUS_ERROR_NULL;
	if (client_read_host(c, &host) >= 0) {
		starting = strcmp(host.state, "starting") == 0;
		client_host_done(&host);
	}
	sd_bus_error_free(&c->error);
	c->error = error;
	if (starting)
		return w->known ? 0 : set_state(w, STATE_UNKNOWN);
	if (w->known || state_in(w->ctl->states, STATE_REMOVED, sizeof(STATE_REMOVED) - 1))
		return set_state(w, STATE_REMOVED);
	client_note_name(c, w->name);
	return -ENOENT;
}

/* 0 with w->seen up to date, or a negative errno; -ENOENT: the daemon does not know the name. */
static int look(struct wait *w)
{
	struct client *c = &w->ctl->client;
	_cleanup_free_ char *path = NULL;
	struct client_matrix m;
	int r = client_find_matrix(c, w->name, &path);

	if (r >= 0)
		r = client_read_matrix_at(c, path, &m);
	if (r == -ENOENT)
		return look_absent(w);
	/* A daemon that is restarted comes back; its matrices are where they were.  "No reply" is
	 * what the bus says when it went away over the question. */
	if (r < 0 && w->known &&
		(client_is_absent(c) || sd_bus_error_has_name(&c->error, SD_BUS_ERROR_NO_REPLY)))
		return 0;
	if (r < 0)
		return r;
	client_matrix_done(&w->seen);
	w->seen = m;
	w->known = true;
	return 0;
}

/* Turns the connection until something of the daemon's has changed.  1; 0: out of time. */
static int wait_change(struct wait *w, uint64_t deadline)
{
	sd_bus *bus = w->ctl->client.bus;
	int r;

	w->changed = false;
	for (;;) {
		uint64_t now;

		do {
			r = sd_bus_process(bus, NULL);
			if (r < 0)
				return r;
		} while (r > 0);
		if (w->changed)
			return 1;
		now = now_monotonic();
		if (now >= deadline)
			return 0;
		r = sd_bus_wait(bus, deadline == UINT64_MAX ? UINT64_MAX : deadline - now);
		if (r < 0 && r != -EINTR)
			return r;
	}
}

/* 1: it has one of the states; 0: out of time; -ESTALE: it was removed meanwhile. */
static int wait_state(struct wait *w)
{
	uint64_t timeout = w->ctl->timeout, now = now_monotonic();
	uint64_t deadline = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
	int r = subscribe(w);

	while (r >= 0) {
		r = look(w);
		if (r < 0)
			break;
		if (state_in(w->ctl->states, w->seen.state, strlen(w->seen.state)))
			return 1;
		if (strcmp(w->seen.state, STATE_REMOVED) == 0)
			return -ESTALE;
		r = wait_change(w, deadline);
		if (r == 0)
			return 0;
	}
	return r;
}

static void say_timeout(const struct wait *w)
{
	const struct condition_item *c = client_matrix_trouble(&w->seen);

	if (w->ctl->timeout == 0)
		ctl_say("%s is %s", w->name, w->seen.state);
	else
		ctl_say("%s is still %s after %g seconds%s%s%s%s", w->name, w->seen.state,
			(double)w->ctl->timeout / 1e6, c ? "; " : "", c ? c->reason : "",
			c && *c->message ? ": " : "", c ? c->message : "");
}

static int report(const struct wait *w)
{
	struct json_object *value;

	if (w->ctl->json == JSON_OFF) {
		puts(w->seen.state);
		return EXIT_SUCCESS;
	}
	value = json_object_new_object();
	json_put_string(value, "Name", w->name);
	json_put_string(value, "State", w->seen.state);
	return ctl_json(w->ctl, value);
}

int verb_wait(struct ctl *ctl, char **args)
{
	struct wait w = {.ctl = ctl, .name = args[0]};
	int status = EXIT_FAILURE, r;

	if (!states_are_valid(ctl->states))
		return EXIT_USAGE;
	r = wait_state(&w);
	if (r > 0)
		status = report(&w);
	else if (r == 0)
		say_timeout(&w);
	else if (r == -ESTALE)
		ctl_say("%s was removed", w.name);
	else
		ctl_fail(ctl, r);
	client_matrix_done(&w.seen);
	return status;
}
