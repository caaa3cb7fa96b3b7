// SPDX-License-Identifier: GPL-2.0-only
/*
 * The news of attaching and detaching.  The probes must not sleep, and sending a uevent does: so
 * an event is queued where it happens and sent by one work item, which never runs twice at a time.
 */
#define dev_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/mempool.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "apmatrix.h"

/* So many events can wait even when there is no memory left. */
#define APM_RESERVE 256

struct apm_event {
	struct list_head list;
	struct apm_device *device; /* apm_device_drop() waits until it was sent */
	enum apm_what what;
	struct apm_vm vm;
	int ret;
	u64 seq;
};

static const char *const apm_what_names[] = {
	[APM_ATTACH] = "attach",
	[APM_ATTACH_FAILED] = "attach-failed",
	[APM_DETACH] = "detach",
};

static const char *const apm_attr_names[] = {
	"attached", "vm_pid", "attach_count", "attach_seq", "attached_since"};

static void apm_event_send_all(struct work_struct *work);

static LIST_HEAD(apm_events); /* apm_lock */
static u64 apm_seq;           /* apm_lock */
static mempool_t *apm_pool;
static struct workqueue_struct *apm_queue;
static DECLARE_WORK(apm_work, apm_event_send_all);

/*
 * Numbers the event and queues it.  The caller holds apm_lock and has changed the state under it.
 * An event for which there is no memory leaves a gap in the numbers; the attributes are right.
 */
void apm_event_post(struct apm_device *d, enum apm_what what, const struct apm_vm *vm, int ret)
{
	struct apm_event *e = mempool_alloc(apm_pool, GFP_ATOMIC);

	lockdep_assert_held(&apm_lock);
	d->state.attach_seq = ++apm_seq;
	if (!e) {
		dev_warn_ratelimited(d->dev, "no memory, event %llu is lost\n", apm_seq);
		return;
	}
	e->device = d;
	e->what = what;
	e->vm = *vm;
	e->ret = ret;
	e->seq = apm_seq;
	list_add_tail(&e->list, &apm_events);
	queue_work(apm_queue, &apm_work);
}

static void apm_event_send(const struct apm_event *e)
{
	struct kobject *kobj = &e->device->dev->kobj;
	char what[40], seq[40], pid[32], comm[TASK_COMM_LEN + 16], ret[32];
	char *properties[6] = {what, seq, pid, comm, ret, NULL};
	unsigned int i;
	int rc;

	snprintf(what, sizeof(what), "APMATRIX_EVENT=%s", apm_what_names[e->what]);
	snprintf(seq, sizeof(seq), "APMATRIX_SEQ=%llu", e->seq);
	snprintf(pid, sizeof(pid), "APMATRIX_PID=%d", e->vm.pid);
	snprintf(comm, sizeof(comm), "APMATRIX_COMM=%s", e->vm.comm);
	snprintf(ret, sizeof(ret), "APMATRIX_RET=%d", e->ret);
	for (i = 0; i < ARRAY_SIZE(apm_attr_names); i++)
		sysfs_notify(kobj, KBUILD_MODNAME, apm_attr_names[i]);
	rc = kobject_uevent_env(kobj, KOBJ_CHANGE, properties);
	if (rc)
		dev_warn_ratelimited(e->device->dev, "event %llu is lost: error %d\n", e->seq, rc);
}

/* Takes what is there and no more: whoever flushes is not held up by what comes afterwards. */
static void apm_event_send_all(struct work_struct *work)
{
	struct apm_event *e, *next;
	LIST_HEAD(batch);

	spin_lock(&apm_lock);
	list_splice_init(&apm_events, &batch);
	spin_unlock(&apm_lock);
	list_for_each_entry_safe(e, next, &batch, list) {
		apm_event_send(e);
		mempool_free(e, apm_pool);
	}
}

/* Waits until all events that were posted before have been sent. */
void apm_event_flush(void)
{
	flush_work(&apm_work);
}

int apm_event_init(void)
{
	apm_pool = mempool_create_kmalloc_pool(APM_RESERVE, sizeof(struct apm_event));
	if (!apm_pool)
		return -ENOMEM;
	apm_queue = alloc_ordered_workqueue(KBUILD_MODNAME, WQ_HIGHPRI);
	if (!apm_queue) {
		mempool_destroy(apm_pool);
		return -ENOMEM;
	}
	return 0;
}

/* Nothing is posted any more. */
void apm_event_exit(void)
{
	destroy_workqueue(apm_queue);
	mempool_destroy(apm_pool);
}
