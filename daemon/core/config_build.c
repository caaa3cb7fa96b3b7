/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The merge: assignments of all drop-ins, in their order, become one config in which every
 * setting still knows its line.  Values were judged by fragment_check() before; what does not
 * parse here is left out without a word.  Knows nothing of files, directories and machine-ids.
 */
#include "core/config.h"

#include <stdlib.h>
#include <string.h>

/* Makes room for one more of @n items of @size bytes, in powers of two: the array is full
 * whenever its number is one. */
static int array_grow(void *array, size_t n, size_t size)
{
	void **items = array, *bigger;

	if (n & (n - 1))
		return 0;
	bigger = reallocarray(*items, n ? 2 * n : 1, size);
	if (!bigger)
		return -ENOMEM;
	*items = bigger;
	return 0;
}

/* A [Matrix NAME] in the order of appearance; the name is the fragment's. */
struct header {
	const char *name;
	struct origin origin;
	size_t order;
};

struct headers {
	struct header *items;
	size_t n;
};

static int header_compare_name(const void *a, const void *b)
{
	const struct header *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : x->order < y->order ? -1 : 1;
}

static int header_compare_order(const void *a, const void *b)
{
	const struct header *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static int collect_fragment_headers(struct headers *h, const struct fragment *f, const char *path)
{
	const char *last = "";

	for (size_t i = 0; i < f->n_items; i++) {
		const struct assignment *a = &f->items[i];

		if (a->section != SECTION_MATRIX || strcmp(a->name, last) == 0)
			continue;
		last = a->name;
		if (array_grow(&h->items, h->n, sizeof(*h->items)) < 0)
			return -ENOMEM;
		h->items[h->n] = (struct header){a->name, {path, a->line}, h->n};
		h->n++;
	}
	return 0;
}

/* Leaves the first header of each name, sorted by name. */
static void headers_unique(struct headers *h)
{
	size_t n = 0;

	if (h->n == 0)
		return;
	qsort(h->items, h->n, sizeof(*h->items), header_compare_name);
	for (size_t i = 0; i < h->n; i++)
		if (n == 0 || strcmp(h->items[n - 1].name, h->items[i].name) != 0)
			h->items[n++] = h->items[i];
	h->n = n;
}

/* Beyond the limit, the matrices that come last are not defined, and that is said. */
static int headers_limit(struct headers *h, struct problems *p)
{
	const struct header *first;
	int r;

	if (h->n <= CONFIG_MATRICES_MAX)
		return 0;
	qsort(h->items, h->n, sizeof(*h->items), header_compare_order);
	first = &h->items[CONFIG_MATRICES_MAX];
	r = problems_add(p, PROBLEM_ERROR, "too-many-matrices", first->name, first->origin.file,
		first->origin.line,
		"%zu matrices are more than %u: this one and what follows are not defined; remove "
		"some",
		h->n, CONFIG_MATRICES_MAX);
	if (r < 0)
		return r;
	h->n = CONFIG_MATRICES_MAX;
	qsort(h->items, h->n, sizeof(*h->items), header_compare_name);
	return 0;
}

static int make_paths(struct config *c, const struct fragment *const *fragments, size_t n)
{
	c->paths = calloc(n + 1, sizeof(*c->paths));
	if (!c->paths)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		c->paths[i] = strdup(fragments[i]->path);
		if (!c->paths[i])
			return -ENOMEM;
		c->n_paths++;
	}
	return 0;
}

static int make_matrices(struct config *c, const struct headers *h)
{
	c->matrices = calloc(h->n + 1, sizeof(*c->matrices));
	if (!c->matrices)
		return -ENOMEM;
	for (size_t i = 0; i < h->n; i++) {
		struct matrix_config *m = &c->matrices[i];

		m->name = strdup(h->items[i].name);
		if (!m->name)
			return -ENOMEM;
		m->uuid_derived = true;
		m->start = START_BOOT;
		m->section = h->items[i].origin;
		c->n_matrices++;
	}
	return 0;
}

/* Finds all matrices of all fragments before any assignment is applied: the array then never
 * moves, and is sorted. */
static int define_matrices(
	struct config *c, const struct fragment *const *fragments, size_t n, struct problems *p)
{
	struct headers h = {};
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = collect_fragment_headers(&h, fragments[i], c->paths[i]);
	if (r == 0) {
		headers_unique(&h);
		r = headers_limit(&h, p);
	}
	if (r == 0)
		r = make_matrices(c, &h);
	free(h.items);
	return r;
}

static int settings_add(struct matrix_config *m, const struct setting *s)
{
	if (array_grow(&m->settings, m->n_settings, sizeof(*m->settings)) < 0)
		return -ENOMEM;
	m->settings[m->n_settings++] = *s;
	return 0;
}

static bool is_list(enum matrix_key key)
{
	return key == KEY_ADAPTERS || key == KEY_DOMAINS || key == KEY_CONTROL_DOMAINS;
}

/* Adapters=, Domains=, ControlDomains=: appends; the union is made in the end. */
static int apply_list(struct matrix_config *m, struct setting *s, const char *value)
{
	if (s->key == KEY_CONTROL_DOMAINS && strcmp(value, "usage") == 0)
		s->usage = true;
	else if (*value && mask_parse_list(value, &s->bits, NULL) < 0)
		return 0;
	return settings_add(m, s);
}

static int set_guest(struct matrix_config *m, const char *value)
{
	char *guest = *value ? strdup(value) : NULL;

	if (*value && !guest)
		return -ENOMEM;
	free(m->guest);
	m->guest = guest;
	return 0;
}

/* A key with one value: the last counts, and no value brings the default back. */
static int apply_single(struct matrix_config *m, const struct setting *s, const char *value)
{
	int word;

	switch (s->key) {
	case KEY_UUID:
		if (!uuid_normalize(value, m->uuid))
			m->uuid[0] = '\0';
		m->uuid_derived = m->uuid[0] == '\0';
		break;
	case KEY_GUEST:
		if (set_guest(m, value) < 0)
			return -ENOMEM;
		break;
	case KEY_START:
		word = start_mode_from_string(value);
		m->start = word < 0 ? START_BOOT : (enum start_mode)word;
		break;
	default:
		word = live_change_from_string(value);
		m->live_change = word < 0 ? LIVE_GROW : (enum live_change)word;
		break;
	}
	return settings_add(m, s);
}

static int apply_matrix(struct config *c, const struct assignment *a, struct origin origin)
{
	const struct matrix_config *found = config_find(c, a->name);
	int key = matrix_key_from_string(a->key);
	struct setting s = {.key = (enum matrix_key)key};
	struct matrix_config *m;

	if (!found || key < 0)
		return 0;
	m = &c->matrices[found - c->matrices];
	/* A reset goes without a file, until finish_settings(). */
	if (*a->value)
		s.origin = origin;
	if (is_list(s.key))
		return apply_list(m, &s, a->value);
	return apply_single(m, &s, a->value);
}

static int apply_keep(
	struct config *c, const struct assignment *a, struct origin origin, struct problems *p)
{
	struct host_config *h = &c->host;
	struct queues q;

	if (!*a->value) {
		h->n_keeps = 0;
		h->keep = (struct queues){};
		h->origin[KEY_KEEP_QUEUES] = (struct origin){};
		return 0;
	}
	if (queues_parse(a->value, &q, NULL) < 0)
		return 0;
	/* Never give away what was to be kept, even where the lines are too many to tell apart. */
	queues_add_all(&h->keep, &q);
	h->origin[KEY_KEEP_QUEUES] = origin;
	if (h->n_keeps == CONFIG_KEEPS_MAX) {
		queues_add_all(&h->keeps[h->n_keeps - 1].queues, &q);
		/* Once is enough, and nothing else is told while assignments are applied. */
		if (p->n > 0 && strcmp(p->items[p->n - 1].code, "too-many-keeps") == 0)
			return 0;
		return problems_add(p, PROBLEM_ERROR, "too-many-keeps", NULL, origin.file,
			origin.line,
			"KeepQueues= is given more than %u times; the queues are kept, but join "
			"some of the lines",
			CONFIG_KEEPS_MAX);
	}
	if (array_grow(&h->keeps, h->n_keeps, sizeof(*h->keeps)) < 0)
		return -ENOMEM;
	h->keeps[h->n_keeps++] = (struct keep){.queues = q, .origin = origin};
	return 0;
}

static int apply_host(
	struct config *c, const struct assignment *a, struct origin origin, struct problems *p)
{
	struct host_config *h = &c->host;
	int key = host_key_from_string(a->key), word;

	switch (key) {
	case KEY_KEEP_QUEUES:
		return apply_keep(c, a, origin, p);
	case KEY_QUEUE_POOL:
		word = pool_mode_from_string(a->value);
		h->pool = word < 0 ? POOL_AUTO : (enum pool_mode)word;
		break;
	case KEY_FOREIGN:
		word = foreign_mode_from_string(a->value);
		h->foreign = word < 0 ? FOREIGN_KEEP : (enum foreign_mode)word;
		break;
	case KEY_DRIFT:
		word = drift_mode_from_string(a->value);
		h->drift = word < 0 ? DRIFT_REPAIR : (enum drift_mode)word;
		break;
	case KEY_HOST_LIVE_CHANGE:
		word = live_change_from_string(a->value);
		h->live_change = word < 0 ? LIVE_GROW : (enum live_change)word;
		break;
	default:
		return 0;
	}
	h->origin[key] = word < 0 ? (struct origin){} : origin;
	return 0;
}

static int apply_fragment(
	struct config *c, const struct fragment *f, const char *path, struct problems *p)
{
	for (size_t i = 0; i < f->n_items; i++) {
		const struct assignment *a = &f->items[i];
		struct origin origin = {path, a->line};
		int r;

		if (!a->key)
			continue;
		r = a->section == SECTION_HOST ? apply_host(c, a, origin, p)
					       : apply_matrix(c, a, origin);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Leaves the settings in force: of a list, what follows its last reset; else the last, if that is no
 * reset.  In one go at the end, since dropping each when it is overridden takes time with the
 * square of the lines. */
static void finish_settings(struct matrix_config *m)
{
	size_t from[N_MATRIX_KEYS] = {}, n = 0;

	for (size_t i = 0; i < m->n_settings; i++) {
		const struct setting *s = &m->settings[i];

		if (!s->origin.file)
			from[s->key] = i + 1;
		else if (!is_list(s->key))
			from[s->key] = i;
	}
	for (size_t i = 0; i < m->n_settings; i++)
		if (m->settings[i].origin.file && i >= from[m->settings[i].key])
			m->settings[n++] = m->settings[i];
	m->n_settings = n;
}

/* The masks from the settings in force.  "usage" means the Domains= of the end, whatever the order
 * of the lines, and adds to numbers given beside it. */
static void finish_masks(struct matrix_config *m)
{
	struct mask *const masks[N_MATRIX_KEYS] = {
		[KEY_ADAPTERS] = &m->want.adapters,
		[KEY_DOMAINS] = &m->want.domains,
		[KEY_CONTROL_DOMAINS] = &m->want.control_domains,
	};

	for (size_t i = 0; i < m->n_settings; i++) {
		struct mask *mask = masks[m->settings[i].key];

		if (mask)
			*mask = mask_or(mask, &m->settings[i].bits);
	}
	for (size_t i = 0; i < m->n_settings; i++) {
		struct setting *s = &m->settings[i];

		if (!s->usage)
			continue;
		s->bits = m->want.domains;
		m->want.control_domains = mask_or(&m->want.control_domains, &s->bits);
	}
}

static int check_complete(const struct matrix_config *m, struct problems *p)
{
	bool no_adapters = mask_is_empty(&m->want.adapters);
	bool no_domains = mask_is_empty(&m->want.domains);
	const char *missing = "Domains=";

	if (!no_adapters && !no_domains)
		return 0;
	if (no_adapters)
		missing = no_domains ? "Adapters= and Domains=" : "Adapters=";
	return problems_add(p, PROBLEM_ERROR, "incomplete-matrix", m->name, m->section.file,
		m->section.line, "[Matrix %s] lacks %s and so has no queue; write what is missing",
		m->name, missing);
}

static bool has_setting(const struct matrix_config *m, enum matrix_key key)
{
	for (size_t i = 0; i < m->n_settings; i++)
		if (m->settings[i].key == key)
			return true;
	return false;
}

static int finish_matrix(const struct config *c, struct matrix_config *m, struct problems *p)
{
	finish_settings(m);
	if (!m->guest && set_guest(m, m->name) < 0)
		return -ENOMEM;
	if (!has_setting(m, KEY_LIVE_CHANGE))
		m->live_change = c->host.live_change;
	finish_masks(m);
	return check_complete(m, p);
}

int config_build(const struct fragment *const *fragments, size_t n_fragments, struct problems *p,
	struct config **ret)
{
	_cleanup_(cleanup_config_free) struct config *c = config_new();
	int r;

	if (!c || make_paths(c, fragments, n_fragments) < 0)
		return -ENOMEM;
	r = define_matrices(c, fragments, n_fragments, p);
	for (size_t i = 0; i < n_fragments && r == 0; i++)
		r = apply_fragment(c, fragments[i], c->paths[i], p);
	for (size_t i = 0; i < c->n_matrices && r == 0; i++)
		r = finish_matrix(c, &c->matrices[i], p);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}
