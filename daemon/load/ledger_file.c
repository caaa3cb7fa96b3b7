/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ledger's text: drop-in syntax, sections [masks] and [masks-refused], [overrides]
 * and [overrides-begun] with a line an adapter, and one [UUID] for each entry, and in the end a line "# end N" with the number of entries, without which it is not complete.  Like all
 * that decides what may be removed, it is believed only as a whole.
 */
#include "load/ledger_file.h"

#include <stdlib.h>
#include <string.h>

#include "load/lines.h"
#include "util/fileio.h"

#define LEDGER_DIR "run/apmatrixd"
#define LEDGER_FILE LEDGER_DIR "/ledger"
#define LEDGER_MAX (16u * 1024u * 1024u)

struct parser {
	struct ledger *ledger;
	bool in_masks;
	struct queues *in_queues; /* [overrides], [overrides-begun]; NULL outside */
	bool has_apmask, has_aqmask;
	char uuid[UUID_SIZE]; /* "" outside of an entry */
};

static int on_mistake(void *user _unused_, const char *code _unused_, const char *text _unused_,
	unsigned line _unused_)
{
	return -EBADMSG;
}

static int on_section(void *user, const char *name, unsigned line _unused_)
{
	struct parser *p = user;

	if (!name)
		return -EBADMSG;
	p->in_masks = strcmp(name, "masks") == 0;
	p->in_queues = NULL;
	p->uuid[0] = '\0';
	if (strcmp(name, "masks-refused") == 0) {
		p->ledger->masks_refused = true;
		return 0;
	}
	if (strcmp(name, "overrides") == 0) {
		p->ledger->split = true;
		p->in_queues = &p->ledger->overrides;
	} else if (strcmp(name, "overrides-begun") == 0) {
		p->in_queues = &p->ledger->overrides_begun;
	}
	if (p->in_queues)
		return queues_is_empty(p->in_queues) ? 0 : -EBADMSG;
	if (p->in_masks) {
		p->ledger->masks_ours = true;
		return 0;
	}
	if (!uuid_normalize(name, p->uuid) || strcmp(name, p->uuid) != 0)
		return -EBADMSG;
	if (ledger_find(p->ledger, p->uuid))
		return -EBADMSG;
	return ledger_get(p->ledger, p->uuid) ? 0 : -ENOMEM;
}

static int parse_masks(struct parser *p, const char *key, const char *value)
{
	bool ap = strcmp(key, "apmask") == 0;

	if (!ap && strcmp(key, "aqmask") != 0)
		return -EBADMSG;
	if (mask_parse_kernel(value, ap ? &p->ledger->apmask : &p->ledger->aqmask) < 0)
		return -EBADMSG;
	*(ap ? &p->has_apmask : &p->has_aqmask) = true;
	p->ledger->masks_known = p->has_apmask && p->has_aqmask;
	return 0;
}

/* "05=0x0800...": an adapter and its domains. */
static int parse_row(struct queues *q, const char *key, const char *value)
{
	unsigned adapter;
	char again[3];

	if (sscanf(key, "%2x", &adapter) != 1)
		return -EBADMSG;
	snprintf(again, sizeof(again), "%02x", adapter);
	if (strcmp(key, again) != 0 || !mask_is_empty(&q->row[adapter]))
		return -EBADMSG;
	return mask_parse_kernel(value, &q->row[adapter]) < 0 ? -EBADMSG : 0;
}

static int parse_bool(const char *value, bool *ret)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return -EBADMSG;
	*ret = strcmp(value, "yes") == 0;
	return 0;
}

static int parse_name(const char *value, struct ledger_entry *e)
{
	if (strlen(value) >= sizeof(e->name))
		return -EBADMSG;
	strcpy(e->name, value);
	return 0;
}

static int parse_intent(const char *value, struct ledger_entry *e)
{
	int intent = intent_from_string(value);

	if (intent < 0)
		return -EBADMSG;
	e->intent = (enum intent)intent;
	return 0;
}

static int parse_set(const char *value, struct ledger_entry *e)
{
	if (matrix_parse_ap_config(value, &e->set) < 0)
		return -EBADMSG;
	e->set_known = true;
	return 0;
}

static int on_pair(void *user, const char *key, const char *value, unsigned line _unused_)
{
	struct parser *p = user;
	struct ledger_entry *e;

	if (p->in_masks)
		return parse_masks(p, key, value);
	if (p->in_queues)
		return parse_row(p->in_queues, key, value);
	e = ledger_find(p->ledger, p->uuid);
	if (!e)
		return -EBADMSG;
	if (strcmp(key, "name") == 0)
		return parse_name(value, e);
	if (strcmp(key, "intent") == 0)
		return parse_intent(value, e);
	if (strcmp(key, "made") == 0)
		return parse_bool(value, &e->made);
	if (strcmp(key, "adopted") == 0)
		return parse_bool(value, &e->adopted);
	if (strcmp(key, "set") == 0)
		return parse_set(value, e);
	return -EBADMSG;
}

/* True if the text's last line is "# end N". */
static bool is_complete(const char *text, size_t size, size_t n_entries)
{
	char end[48];
	size_t n = (size_t)snprintf(end, sizeof(end), "\n# end %zu\n", n_entries);

	return size >= n && memcmp(text + size - n, end, n) == 0;
}

int ledger_load(int root, struct ledger **ret)
{
	_cleanup_(cleanup_ledger_free) struct ledger *l = ledger_new();
	_cleanup_free_ char *text = NULL;
	struct parser p = {.ledger = l};
	const struct lines_sink sink = {
		.section = on_section,
		.pair = on_pair,
		.mistake = on_mistake,
		.user = &p,
	};
	ssize_t n;
	int r;

	if (!l)
		return -ENOMEM;
	n = file_read_at(root, LEDGER_FILE, LEDGER_MAX, &text);
	if (n < 0 && n != -ENOENT)
		return n == -EFBIG ? -EBADMSG : (int)n;
	if (n >= 0) {
		r = lines_read(text, (size_t)n, &sink);
		if (r < 0)
			return r;
		if (!is_complete(text, (size_t)n, l->n) || p.has_apmask != p.has_aqmask ||
			!queues_is_subset(&l->overrides_begun, &l->overrides))
			return -EBADMSG;
	}
	*ret = TAKE_PTR(l);
	return 0;
}

static void print_entry(FILE *f, const struct ledger_entry *e)
{
	char set[MATRIX_AP_CONFIG_SIZE];

	fprintf(f, "\n[%s]\n", e->uuid);
	fprintf(f, "name=%s\n", e->name);
	fprintf(f, "intent=%s\n", intent_to_string(e->intent));
	fprintf(f, "made=%s\n", e->made ? "yes" : "no");
	fprintf(f, "adopted=%s\n", e->adopted ? "yes" : "no");
	if (!e->set_known)
		return;
	matrix_format_ap_config(&e->set, set);
	fprintf(f, "set=%s\n", set);
}

static void print_queues(FILE *f, const char *section, const struct queues *q)
{
	struct mask adapters = queues_adapters(q);
	char domains[MASK_KERNEL_SIZE];

	fprintf(f, "\n[%s]\n", section);
	MASK_FOREACH (a, &adapters) {
		mask_format_kernel(&q->row[a], domains);
		fprintf(f, "%02x=%s\n", a, domains);
	}
}

static void print_ledger(FILE *f, const struct ledger *l)
{
	char apmask[MASK_KERNEL_SIZE], aqmask[MASK_KERNEL_SIZE];

	fprintf(f, "# What apmatrixd made, adopted or was told by hand. Written by the daemon.\n");
	if (l->masks_ours || l->masks_known)
		fprintf(f, "\n[masks]\n");
	if (l->masks_known) {
		mask_format_kernel(&l->apmask, apmask);
		mask_format_kernel(&l->aqmask, aqmask);
		fprintf(f, "apmask=%s\naqmask=%s\n", apmask, aqmask);
	}
	if (l->masks_refused)
		fprintf(f, "\n[masks-refused]\n");
	if (l->split)
		print_queues(f, "overrides", &l->overrides);
	if (!queues_is_empty(&l->overrides_begun))
		print_queues(f, "overrides-begun", &l->overrides_begun);
	for (size_t i = 0; i < l->n; i++)
		print_entry(f, &l->entries[i]);
	fprintf(f, "\n# end %zu\n", l->n);
}

int ledger_save(int root, const struct ledger *l)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	bool failed;
	int r;

	if (!f)
		return -ENOMEM;
	print_ledger(f, l);
	failed = ferror(f);
	if (fclose(f) != 0 || failed)
		return -ENOMEM;
	r = mkdir_parents_at(root, LEDGER_DIR, 0755);
	return r < 0 ? r : file_replace_at(root, LEDGER_FILE, text, size, 0644);
}
