/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The flat form of an observation.  Each field is named once, in order, by a code_x() function
 * that counts, writes or reads it, so that both ends cannot differ.  It crosses a process
 * boundary: what is read is believed only where observed_pack() could have written it.
 * Both ends are the same program on the same machine, hence its byte order.
 */
#include "core/observed.h"

#include <stdint.h>

#define PACK_MAGIC UINT64_C(0x61706f6273657276) /* "apobserv" */
#define PACK_VERSION 1u                         /* add one whenever a field changes */

#define ALL_FEATURES ((1u << N_KERNEL_FEATURES) - 1)
#define ALL_HAZARDS ((1u << N_KERNEL_HAZARDS) - 1)

/* No mdev takes less: a lie about their number is found before memory is taken for them. */
#define MDEV_SIZE_MIN (6 * sizeof(struct mask))

enum coder_mode { CODER_COUNT, CODER_WRITE, CODER_READ };

struct coder {
	enum coder_mode mode;
	const uint8_t *in;
	uint8_t *out;
	size_t at, size;
	int error; /* of reading; once set, nothing is read any more */
};

static void refuse(struct coder *c)
{
	if (!c->error)
		c->error = -EBADMSG;
}

static void code_bytes(struct coder *c, void *p, size_t n)
{
	if (c->error)
		return;
	if (c->mode != CODER_COUNT && c->size - c->at < n) {
		refuse(c);
		return;
	}
	if (c->mode == CODER_WRITE)
		memcpy(c->out + c->at, p, n);
	else if (c->mode == CODER_READ)
		memcpy(p, c->in + c->at, n);
	c->at += n;
}

static void code_u64(struct coder *c, uint64_t *v)
{
	code_bytes(c, v, sizeof(*v));
}

static void code_u32(struct coder *c, uint32_t *v, uint32_t max)
{
	code_bytes(c, v, sizeof(*v));
	if (c->mode == CODER_READ && *v > max)
		refuse(c);
}

static void code_unsigned(struct coder *c, unsigned *v, unsigned max)
{
	uint32_t u = *v;

	code_u32(c, &u, max);
	*v = u;
}

static void code_u8(struct coder *c, uint8_t *v, uint8_t max)
{
	code_bytes(c, v, sizeof(*v));
	if (c->mode == CODER_READ && *v > max)
		refuse(c);
}

/* Through a byte, since a bool that holds neither 0 nor 1 must never come to be. */
static void code_bool(struct coder *c, bool *v)
{
	uint8_t byte = *v;

	code_u8(c, &byte, 1);
	*v = byte == 1;
}

/* As its length and its bytes, so that nothing behind the NUL is handed over. */
static void code_text(struct coder *c, char *text, size_t size)
{
	uint32_t length = (uint32_t)strnlen(text, size);

	code_u32(c, &length, (uint32_t)size - 1);
	code_bytes(c, text, length);
	if (c->mode != CODER_READ || c->error)
		return;
	text[length] = '\0';
	if (strlen(text) != length)
		refuse(c);
}

static void code_mask(struct coder *c, struct mask *m)
{
	code_bytes(c, m, sizeof(*m));
}

static void code_matrix(struct coder *c, struct matrix *m)
{
	code_mask(c, &m->adapters);
	code_mask(c, &m->domains);
	code_mask(c, &m->control_domains);
}

/* Only the rows that are not empty: few, on real machines. */
static void code_queues(struct coder *c, struct queues *q)
{
	struct mask adapters = queues_adapters(q);

	code_mask(c, &adapters);
	MASK_FOREACH (a, &adapters) {
		code_mask(c, &q->row[a]);
		if (c->mode == CODER_READ && mask_is_empty(&q->row[a]))
			refuse(c);
		if (c->error)
			return;
	}
}

static void code_card(struct coder *c, struct observed_card *card)
{
	code_u8(c, &card->hwtype, UINT8_MAX);
	code_u8(c, &card->mode, CARD_EP11);
	code_bool(c, &card->config);
	code_bool(c, &card->chkstop);
	code_bool(c, &card->online);
}

static void code_vfio_group(struct coder *c, int *group)
{
	uint32_t above = (uint32_t)*group + 1; /* -1 is 0 */

	code_u32(c, &above, (uint32_t)INT32_MAX + 1);
	*group = (int)((int64_t)above - 1);
}

static void code_mdev(struct coder *c, struct observed_mdev *m)
{
	code_text(c, m->uuid, sizeof(m->uuid));
	code_bool(c, &m->assigned_known);
	code_bool(c, &m->guest_known);
	code_matrix(c, &m->assigned);
	code_matrix(c, &m->guest);
	code_vfio_group(c, &m->vfio_group);
	code_text(c, m->vfio_cdev, sizeof(m->vfio_cdev));
	code_u8(c, &m->attach, ATTACH_YES);
	code_u8(c, &m->attach_source, ATTACH_FROM_STATUS);
	code_u8(c, &m->attach_confidence, CONFIDENCE_CERTAIN);
	code_u32(c, &m->vm_pid, UINT32_MAX);
	code_u64(c, &m->attached_since);
	code_u64(c, &m->attach_count);
	code_u64(c, &m->attach_seq);
	code_text(c, m->vm_name, sizeof(m->vm_name));
}

static bool is_uuid_text(const char *text)
{
	for (size_t i = 0; i < UUID_SIZE - 1; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? text[i] != '-' : !strchr("0123456789abcdef", text[i]) || !text[i])
			return false;
	}
	return true;
}

static void code_mdevs(struct coder *c, struct observed *o)
{
	uint64_t n = o->n_mdevs;

	code_u64(c, &n);
	if (c->mode == CODER_READ) {
		if (c->error || n > (c->size - c->at) / MDEV_SIZE_MIN) {
			refuse(c);
			return;
		}
		o->mdevs = n > 0 ? calloc(n, sizeof(*o->mdevs)) : NULL;
		if (n > 0 && !o->mdevs) {
			c->error = -ENOMEM;
			return;
		}
		o->n_mdevs = n;
	}
	for (size_t i = 0; i < n && !c->error; i++) {
		code_mdev(c, &o->mdevs[i]);
		if (c->mode != CODER_READ || c->error)
			continue;
		/* observed_find_mdev() relies on the order. */
		if (!is_uuid_text(o->mdevs[i].uuid) ||
			(i > 0 && strcmp(o->mdevs[i - 1].uuid, o->mdevs[i].uuid) >= 0))
			refuse(c);
	}
}

static void code_bus(struct coder *c, struct observed *o)
{
	code_unsigned(c, &o->max_adapter, MASK_BITS - 1);
	code_unsigned(c, &o->max_domain, MASK_BITS - 1);
	code_mask(c, &o->apmask);
	code_mask(c, &o->aqmask);
	code_mask(c, &o->host_adapters);
	code_mask(c, &o->host_domains);
	code_mask(c, &o->host_control_domains);
	code_mask(c, &o->cards);
	for (unsigned i = 0; i < MASK_BITS; i++)
		code_card(c, &o->card[i]);
	code_queues(c, &o->present);
	code_queues(c, &o->vfio);
	code_queues(c, &o->host);
	code_queues(c, &o->in_use);
	code_queues(c, &o->override);
	code_queues(c, &o->override_other);
}

static void code_observed(struct coder *c, struct observed *o)
{
	uint64_t magic = PACK_MAGIC, size = c->size;
	uint32_t version = PACK_VERSION;

	code_u64(c, &magic);
	code_u32(c, &version, PACK_VERSION);
	code_u64(c, &size);
	if (magic != PACK_MAGIC || version != PACK_VERSION || size != c->size) {
		refuse(c);
		return;
	}
	code_bool(c, &o->complete);
	code_text(c, o->incomplete, sizeof(o->incomplete));
	code_bool(c, &o->has_ap_bus);
	code_bool(c, &o->has_matrix_device);
	code_text(c, o->release, sizeof(o->release));
	code_u32(c, &o->features, ALL_FEATURES);
	code_u32(c, &o->hazards, ALL_HAZARDS);
	code_bus(c, o);
	code_mdevs(c, o);
}

int observed_pack(const struct observed *o, void **ret, size_t *ret_size)
{
	/* The code_x() functions take what they might read into; here they only look. */
	struct observed copy = *o;
	struct coder count = {.mode = CODER_COUNT};

	code_observed(&count, &copy);

	_cleanup_free_ uint8_t *out = malloc(count.at);

	if (!out)
		return -ENOMEM;

	struct coder write = {.mode = CODER_WRITE, .out = out, .size = count.at};

	code_observed(&write, &copy);
	*ret = TAKE_PTR(out);
	*ret_size = write.at;
	return 0;
}

int observed_unpack(const void *data, size_t size, struct observed **ret)
{
	_cleanup_(cleanup_observed_free) struct observed *o = observed_new();
	struct coder read = {.mode = CODER_READ, .in = data, .size = size};

	if (!o)
		return -ENOMEM;
	code_observed(&read, o);
	if (!read.error && read.at != size)
		refuse(&read);
	if (read.error)
		return read.error;
	*ret = TAKE_PTR(o);
	return 0;
}
