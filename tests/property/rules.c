/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every write of the daemon, one by one: was it allowed?  Nobody else's device is touched but as
 * Foreign= says, nothing changes under a guest but as LiveChange= says, no mask gives a kept queue
 * away, and nothing is tried that the kernel refuses.
 */
#include <string.h>

#include "property/actor.h"

struct rules {
	struct actor *actor;
	const struct config *config;
	const struct observed *before;
	struct mask apmask, aqmask; /* follow the writes */
	unsigned n_lost;            /* masks refused for an override that has gone */
};

static const char mdev_base[] = "devices/vfio_ap/matrix/";

static void refused(struct rules *r, const struct model_log_entry *w)
{
	/* Masks, after an override went with its queue: that can be known only by trying. */
	if (w->result == -EINVAL && strstr(w->path, "bus/ap/a") &&
		model_lost_overrides(world_model(r->actor->world)) > 0 && r->n_lost++ == 0)
		return;
	if (!r->actor->troubled)
		actor_fail(r->actor, "refused", "the kernel refused %s = %s: %s", w->path, w->text,
			w->result == -EINPROGRESS ? "it blocks" : strerrorname_np(-w->result));
}

/* ---- masks ---- */

static void check_kept(struct rules *r, const struct mask *apmask, const struct mask *aqmask)
{
	const struct queues *keep = &r->config->host.keep;

	MASK_FOREACH (a, &r->apmask) {
		struct mask lost = mask_and(&keep->row[a], &r->aqmask);

		if (mask_test(apmask, a))
			lost = mask_andnot(&lost, aqmask);
		/* What a device has in spite of the masks was lost before. */
		for (size_t i = 0; i < r->before->n_mdevs; i++)
			if (mask_test(&r->before->mdevs[i].assigned.adapters, a))
				lost = mask_andnot(&lost, &r->before->mdevs[i].assigned.domains);
		if (!mask_is_empty(&lost))
			actor_fail(r->actor, "kept",
				"a write took the kept queue %02x.%04x from the host", a,
				mask_next(&lost, 0));
	}
}

static void check_mask(struct rules *r, const struct model_log_entry *w, bool adapters)
{
	struct mask apmask = r->apmask, aqmask = r->aqmask;

	if (mask_parse_kernel(w->text, adapters ? &apmask : &aqmask) < 0) {
		actor_fail(r->actor, "mask-text", "%s = %s", w->path, w->text);
		return;
	}
	if (r->config->host.pool == POOL_EXTERNAL)
		actor_fail(r->actor, "external", "%s was written, in spite of QueuePool=external",
			w->path);
	check_kept(r, &apmask, &aqmask);
	if (r->actor->blind &&
		(!mask_is_subset(&apmask, &r->apmask) || !mask_is_subset(&aqmask, &r->aqmask)))
		actor_fail(r->actor, "blind", "%s gave something back, although not all is seen",
			w->path);
	if (w->result < 0)
		return;
	r->apmask = apmask;
	r->aqmask = aqmask;
}

/* ---- overrides ---- */

static bool is_untouched(const struct rules *r)
{
	struct mask full = mask_full();

	return mask_equal(&r->apmask, &full) && mask_equal(&r->aqmask, &full);
}

/* A device has it in spite of everything. */
static bool is_held(const struct rules *r, unsigned adapter, unsigned domain)
{
	for (size_t i = 0; i < r->before->n_mdevs; i++)
		if (mask_test(&r->before->mdevs[i].assigned.adapters, adapter) &&
			mask_test(&r->before->mdevs[i].assigned.domains, domain))
			return true;
	return false;
}

static void check_set(struct rules *r, unsigned adapter, unsigned domain)
{
	if (queues_test(&r->before->override_other, adapter, domain))
		actor_fail(r->actor, "override", "%02x.%04x had another's override, overwritten",
			adapter, domain);
	if (queues_test(&r->config->host.keep, adapter, domain) && !is_held(r, adapter, domain))
		actor_fail(r->actor, "kept", "an override took the kept queue %02x.%04x", adapter,
			domain);
}

static void check_clear(struct rules *r, unsigned adapter, unsigned domain)
{
	if (!queues_test(&r->actor->overrides, adapter, domain))
		actor_fail(r->actor, "override", "%02x.%04x: cleared, and not set by the daemon",
			adapter, domain);
	if (r->actor->blind)
		actor_fail(r->actor, "blind", "%02x.%04x went back, although not all is seen",
			adapter, domain);
}

static void check_override(
	struct rules *r, const struct model_log_entry *w, unsigned adapter, unsigned domain)
{
	bool set = strcmp(w->text, "vfio_ap") == 0;

	if (w->text[0] && !set)
		actor_fail(r->actor, "override", "%s = %s", w->path, w->text);
	if (!r->actor->raced && r->config->host.pool == POOL_EXTERNAL)
		actor_fail(r->actor, "external", "%s was written, in spite of QueuePool=external",
			w->path);
	if (!r->actor->raced && !is_untouched(r))
		actor_fail(r->actor, "mixed", "%s was written under masks", w->path);
	if (!r->actor->raced && set)
		check_set(r, adapter, domain);
	if (!r->actor->raced && !set)
		check_clear(r, adapter, domain);
	if (w->result < 0)
		return;
	if (set)
		queues_set(&r->actor->overrides, adapter, domain);
	else
		queues_clear(&r->actor->overrides, adapter, domain);
}

/* ---- mediated devices ---- */

static enum live_change live_of(const struct rules *r, const struct matrix_config *c)
{
	return c ? c->live_change : r->config->host.live_change;
}

static void check_live(struct rules *r, const char *uuid, const char *attribute,
	const struct model_log_entry *w, const struct matrix_config *c)
{
	const struct observed_mdev *mdev = observed_find_mdev(r->before, uuid);
	enum live_change live = live_of(r, c);
	struct matrix to;

	if (!actor_is_attached(r->actor, uuid) || live == LIVE_ALL)
		return;
	if (live == LIVE_NONE)
		actor_fail(r->actor, "live", "%s of %s was written under a guest, LiveChange=none",
			attribute, uuid);
	else if (strncmp(attribute, "unassign", 8) == 0)
		actor_fail(r->actor, "live", "%s of %s under a guest, LiveChange=grow", attribute,
			uuid);
	else if (strcmp(attribute, "ap_config") == 0 && mdev && mdev->assigned_known &&
		(matrix_parse_ap_config(w->text, &to) < 0 ||
			!matrix_is_subset(&mdev->assigned, &to)))
		actor_fail(r->actor, "live", "%s of %s shrank under a guest, LiveChange=grow",
			attribute, uuid);
}

/* No step passes through a queue that its device neither had nor is to have. */
static void check_target(struct rules *r, const char *uuid, const struct model_log_entry *w,
	const struct matrix_config *c)
{
	const struct observed_mdev *mdev = observed_find_mdev(r->before, uuid);
	struct matrix to, had = mdev ? mdev->assigned : (struct matrix){};

	if (matrix_parse_ap_config(w->text, &to) < 0) {
		actor_fail(r->actor, "text", "%s = %s", w->path, w->text);
		return;
	}
	MASK_FOREACH (a, &to.adapters) {
		struct mask stray = to.domains;

		if (mask_test(&had.adapters, a))
			stray = mask_andnot(&stray, &had.domains);
		if (mask_test(&c->want.adapters, a))
			stray = mask_andnot(&stray, &c->want.domains);
		if (!mask_is_empty(&stray))
			actor_fail(r->actor, "stray",
				"%s got %02x.%04x, which it had not and does not want", c->name, a,
				mask_next(&stray, 0));
	}
}

static void check_remove(struct rules *r, const char *uuid, const struct matrix_config *c)
{
	const struct actor *a = r->actor;

	if (actor_is_attached(a, uuid))
		actor_fail(r->actor, "live", "%s was removed under a guest", uuid);
	if (uuid_set_has(&a->stopped, uuid) || uuid_set_has(&a->unsure, uuid))
		return;
	/* Made just now, and then it could not be filled. */
	if (uuid_set_has(&a->made, uuid) && !observed_find_mdev(r->before, uuid))
		return;
	if (c)
		actor_fail(
			r->actor, "foreign", "%s was removed although %s names it", uuid, c->name);
	else if (!uuid_set_has(&a->made, uuid) && r->config->host.foreign != FOREIGN_REMOVE)
		actor_fail(r->actor, "foreign", "%s, which is not ours, was removed", uuid);
}

/* While not everything is seen, nothing is taken from a device that was there. */
static void check_blind(
	struct rules *r, const char *uuid, const char *attribute, const struct model_log_entry *w)
{
	const struct observed_mdev *mdev = observed_find_mdev(r->before, uuid);
	struct matrix to;

	if (!r->actor->blind || !mdev || !mdev->assigned_known)
		return;
	if (strcmp(attribute, "remove") == 0 || strncmp(attribute, "unassign", 8) == 0 ||
		(strcmp(attribute, "ap_config") == 0 &&
			(matrix_parse_ap_config(w->text, &to) < 0 ||
				!matrix_is_subset(&mdev->assigned, &to))))
		actor_fail(r->actor, "blind", "%s = %s took something, although not all is seen",
			w->path, w->text);
}

static void check_mdev(struct rules *r, const struct model_log_entry *w)
{
	const char *name = w->path + strlen(mdev_base), *slash = strchr(name, '/');
	_cleanup_free_ char *uuid = slash ? strndup(name, (size_t)(slash - name)) : NULL;
	const struct matrix_config *c = uuid ? config_find_uuid(r->config, uuid) : NULL;

	if (!uuid)
		return;
	check_blind(r, uuid, slash + 1, w);
	if (strcmp(slash, "/remove") == 0) {
		check_remove(r, uuid, c);
		return;
	}
	if (!c && r->config->host.foreign != FOREIGN_ADOPT && !uuid_set_has(&r->actor->made, uuid))
		actor_fail(r->actor, "foreign", "%s of %s, which is not ours, was written",
			slash + 1, uuid);
	check_live(r, uuid, slash + 1, w, c);
	if (c && strcmp(slash, "/ap_config") == 0)
		check_target(r, uuid, w, c);
}

/* Who makes it again is its owner; unless it was a lie. */
static void removed(struct rules *r, const struct model_log_entry *w)
{
	struct model_stat st;
	char uuid[UUID_SIZE], path[64];

	if (!r->actor->raced)
		check_mdev(r, w);
	if (sscanf(w->path, "devices/vfio_ap/matrix/%36[^/]", uuid) != 1)
		return;
	snprintf(path, sizeof(path), "bus/mdev/devices/%s", uuid);
	if (model_stat(world_model(r->actor->world), path, &st) < 0)
		uuid_set_remove(&r->actor->made, uuid);
}

/* A guest came between looking and writing: the device is neither there nor gone until it ends. */
static void blocked(struct rules *r, const struct model_log_entry *w)
{
	char uuid[UUID_SIZE], word[16];

	if (sscanf(w->path, "devices/vfio_ap/matrix/%36[^/]/%15s", uuid, word) == 2 &&
		strcmp(word, "remove") == 0)
		uuid_set_add(&r->actor->removing, uuid);
}

static void check_write(struct rules *r, const struct model_log_entry *w)
{
	const char *name = strrchr(w->path, '/');
	unsigned adapter, domain;

	r->actor->n_writes++;
	if (sscanf(w->path, "devices/ap/card%*2x/%2x.%4x/driver_overrid%*1[e]", &adapter,
		    &domain) == 2 &&
		name && strcmp(name, "/driver_override") == 0)
		check_override(r, w, adapter, domain);
	if (w->result == -EINPROGRESS)
		blocked(r, w);
	if (name && strcmp(name, "/create") == 0) {
		if (w->result == 0)
			uuid_set_add(&r->actor->made, w->text);
	} else if (w->result == 0 && name && strcmp(name, "/remove") == 0) {
		removed(r, w);
	} else if (r->actor->raced) {
		return;
	} else if (strcmp(w->path, "bus/ap/apmask") == 0) {
		check_mask(r, w, true);
	} else if (strcmp(w->path, "bus/ap/aqmask") == 0) {
		check_mask(r, w, false);
	} else if (strncmp(w->path, mdev_base, strlen(mdev_base)) == 0) {
		check_mdev(r, w);
	}
	if (w->result < 0)
		refused(r, w);
}

void rules_check(struct actor *a)
{
	static const struct config none;
	const struct engine *e = world_engine(a->world);
	const struct model_log_entry *log;
	size_t n = model_log(world_model(a->world), &log);
	struct rules r = {
		.actor = a,
		.config = e ? engine_config(e) : &none,
		.before = a->before,
		.apmask = a->before->apmask,
		.aqmask = a->before->aqmask,
	};
	bool raced = a->raced;

	/* Of a daemon that has died, nobody can say what it believed. */
	a->raced = raced || !e;
	for (size_t i = 0; i < n; i++)
		check_write(&r, &log[i]);
	a->raced = raced;
}
