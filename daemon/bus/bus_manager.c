/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manager object: the host's properties, the methods, the signals' shapes.  Methods that only
 * read answer from the status in force; Plan waits for the engine; whatever changes something is
 * bus_change.c's.
 */
#include <string.h>

#include "bus/bus_private.h"

static const struct status *bus_status(const struct bus *b)
{
	return engine_status(b->engine);
}

static int append_flags(sd_bus_message *m, uint32_t flags, const char *(*name_of)(unsigned))
{
	const char *names[32];
	size_t n = 0;

	for (unsigned i = 0; i < 32; i++) {
		const char *name = flags >> i & 1 ? name_of(1u << i) : NULL;

		if (name)
			names[n++] = name;
	}
	return bus_append_texts(m, names, n);
}

static int append_kernel_mask(sd_bus_message *m, const struct mask *mask)
{
	char text[MASK_KERNEL_SIZE];

	mask_format_kernel(mask, text);
	return bus_append_text(m, text);
}

/* A getter that appends what @append says of the status @s to @reply. */
#define STATUS_PROPERTY(name, append)                                                 \
	static int get_##name(sd_bus *connection _unused_, const char *path _unused_, \
		const char *interface _unused_, const char *property _unused_,        \
		sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_)  \
	{                                                                             \
		const struct status *s = bus_status(userdata);                        \
                                                                                      \
		return append;                                                        \
	}

STATUS_PROPERTY(state, bus_append_text(reply, host_state_to_string(s->state)))
STATUS_PROPERTY(kernel_release, bus_append_text(reply, s->release))
STATUS_PROPERTY(features, append_flags(reply, s->features, kernel_feature_name))
STATUS_PROPERTY(hazards, append_flags(reply, s->hazards, kernel_hazard_name))
STATUS_PROPERTY(attach_source, bus_append_text(reply, attach_source_to_string(s->attach_source)))
STATUS_PROPERTY(queue_pool, bus_append_text(reply, pool_mode_to_string(s->pool)))
STATUS_PROPERTY(max_adapter, sd_bus_message_append(reply, "u", s->max_adapter))
STATUS_PROPERTY(max_domain, sd_bus_message_append(reply, "u", s->max_domain))
STATUS_PROPERTY(adapter_mask, append_kernel_mask(reply, &s->apmask))
STATUS_PROPERTY(domain_mask, append_kernel_mask(reply, &s->aqmask))
STATUS_PROPERTY(host_adapters, bus_append_mask(reply, &s->host_adapters))
STATUS_PROPERTY(host_domains, bus_append_mask(reply, &s->host_domains))
STATUS_PROPERTY(config_generation, sd_bus_message_append(reply, "t", s->config_generation))
STATUS_PROPERTY(problems, bus_append_problems(reply, &s->problems))
STATUS_PROPERTY(matrices, sd_bus_message_append(reply, "u", (uint32_t)s->n_matrices))
STATUS_PROPERTY(attached, sd_bus_message_append(reply, "u", s->n_attached))

static int get_version(sd_bus *connection _unused_, const char *path _unused_,
	const char *interface _unused_, const char *property _unused_, sd_bus_message *reply,
	void *userdata _unused_, sd_bus_error *error _unused_)
{
	return bus_append_text(reply, APMATRIX_VERSION);
}

/* Sends @reply unless what was done to it (@r) failed. */
static int send_reply(sd_bus_message *reply, int r)
{
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int append_matrix(sd_bus_message *m, const struct matrix_status *matrix)
{
	char path[BUS_MATRIX_PATH_SIZE];

	bus_matrix_path(matrix->uuid, path);
	return sd_bus_message_append(m, "(ssso)", matrix->name, matrix->uuid,
		matrix_state_to_string(matrix->state), path);
}

static int method_list_matrices(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const struct status *s = bus_status(userdata);
	int r;

	r = sd_bus_message_new_method_return(m, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "(ssso)");
	for (size_t i = 0; i < s->n_matrices && r >= 0; i++)
		r = append_matrix(reply, &s->matrices[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return send_reply(reply, r);
}

static int reply_path(sd_bus_message *m, const struct matrix_status *matrix)
{
	char path[BUS_MATRIX_PATH_SIZE];

	bus_matrix_path(matrix->uuid, path);
	return sd_bus_reply_method_return(m, "o", path);
}

static int method_get_matrix(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct matrix_status *matrix;
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	matrix = status_find(bus_status(userdata), name);
	if (!matrix)
		return bus_error_set(error, ENGINE_NO_SUCH_MATRIX,
			"%s: no matrix has this name or UUID: ListMatrices names them all", name);
	return reply_path(m, matrix);
}

static int method_get_matrix_by_pid(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct status *s = bus_status(userdata);
	uint32_t pid;
	int r;

	r = sd_bus_message_read(m, "u", &pid);
	if (r < 0)
		return r;
	if (pid == 0)
		return bus_error_set(error, ENGINE_INVALID_ARGUMENT,
			"process 0: no virtual machine is that process: give the process ID of "
			"one");
	for (size_t i = 0; i < s->n_matrices; i++)
		if (s->matrices[i].attached && s->matrices[i].vm_pid == pid)
			return reply_path(m, &s->matrices[i]);
	return bus_error_set(error, ENGINE_NO_SUCH_MATRIX,
		"process %u: no matrix is known to be attached to its virtual machine: the VMPid "
		"of each matrix tells which are",
		pid);
}

static int method_list_queues(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const struct bus *b = userdata;
	int r;

	r = sd_bus_message_new_method_return(m, &reply);
	if (r < 0)
		return r;
	r = bus_queues_append(reply, engine_observed(b->engine), bus_status(b));
	return send_reply(reply, r);
}

static int append_plan(sd_bus_message *reply, const struct engine_result *result)
{
	return bus_append_plan(reply, result->plan);
}

static void on_plan(void *userdata, const struct engine_result *result)
{
	bus_request_finish(userdata, result, append_plan);
}

static int method_plan(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct bus *b = userdata;
	struct bus_request *request;
	int r;

	r = bus_request_new(b, m, NULL, &request, error);
	if (r < 0)
		return r;
	engine_plan(b->engine, bus_now(b), on_plan, request);
	return 1;
}

/* A hint, as from the kernel: whoever saw a change that has no event passes it on. */
static int method_look(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_)
{
	const struct bus *b = userdata;
	int r;

	engine_poke(b->engine, bus_now(b));
	r = sd_bus_reply_method_return(m, NULL);
	return r < 0 ? r : 1; /* 0: the caller wants no reply */
}

static int method_check(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(problems_done) struct problems problems = {};
	const struct bus *b = userdata;
	const char *file, *text;
	int r;

	r = sd_bus_message_read(m, "ss", &file, &text);
	if (r < 0)
		return r;
	r = engine_check(b->engine, file, text, &problems);
	if (r == -EINVAL)
		return bus_error_set(error, ENGINE_INVALID_ARGUMENT,
			"%s: not the name of a drop-in: give a file name without folder that ends "
			"in \".conf\"",
			file);
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_return(m, &reply);
	if (r < 0)
		return r;
	return send_reply(reply, bus_append_problems(reply, &problems));
}

#define PROPERTY(name, type, get) \
	SD_BUS_PROPERTY(name, type, get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define CONSTANT(name, type, get) SD_BUS_PROPERTY(name, type, get, 0, SD_BUS_VTABLE_PROPERTY_CONST)

/* Every method is "unprivileged", so that sd-bus does not judge callers too: the gate does. */
const sd_bus_vtable bus_manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("ListMatrices", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ssso)", matrices),
		method_list_matrices, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetMatrix", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", matrix),
		method_get_matrix, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetMatrixByPID", SD_BUS_ARGS("u", pid), SD_BUS_RESULT("o", matrix),
		method_get_matrix_by_pid, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListQueues", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(yyss)", queues),
		method_list_queues, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sss)", steps), method_plan,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS(
		"Look", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_look, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reconcile", SD_BUS_NO_ARGS, SD_BUS_RESULT("u", steps),
		bus_change_method, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_change_method,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_ARGS("s", file, "s", text),
		SD_BUS_RESULT("a(ssus)", problems), method_check, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("StartMatrix", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
		bus_change_method, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("StopMatrix", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
		bus_change_method, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Define", SD_BUS_ARGS("s", name, "a{sv}", settings, "b", replace),
		SD_BUS_RESULT("o", matrix), bus_change_method, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Undefine", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
		bus_change_method, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Update", SD_BUS_ARGS("s", name, "a{sv}", settings),
		SD_BUS_NO_RESULT, bus_change_method, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("PrepareGuest", SD_BUS_ARGS("s", guest, "as", uuids),
		SD_BUS_NO_RESULT, bus_change_method, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ReleaseGuest", SD_BUS_ARGS("s", guest, "as", uuids),
		SD_BUS_NO_RESULT, bus_change_method, SD_BUS_VTABLE_UNPRIVILEGED),
	CONSTANT("Version", "s", get_version),
	PROPERTY("State", "s", get_state),
	CONSTANT("KernelRelease", "s", get_kernel_release),
	PROPERTY("Features", "as", get_features),
	PROPERTY("Hazards", "as", get_hazards),
	PROPERTY("AttachSource", "s", get_attach_source),
	PROPERTY("QueuePool", "s", get_queue_pool),
	PROPERTY("MaxAdapter", "u", get_max_adapter),
	PROPERTY("MaxDomain", "u", get_max_domain),
	PROPERTY("AdapterMask", "s", get_adapter_mask),
	PROPERTY("DomainMask", "s", get_domain_mask),
	PROPERTY("HostAdapters", "ay", get_host_adapters),
	PROPERTY("HostDomains", "ay", get_host_domains),
	PROPERTY("ConfigGeneration", "t", get_config_generation),
	PROPERTY("Problems", "a(ssus)", get_problems),
	PROPERTY("Matrices", "u", get_matrices),
	PROPERTY("Attached", "u", get_attached),
	SD_BUS_SIGNAL_WITH_ARGS(
		"MatrixAttached", SD_BUS_ARGS("o", matrix, "s", name, "u", pid, "t", sequence), 0),
	SD_BUS_SIGNAL_WITH_ARGS(
		"MatrixDetached", SD_BUS_ARGS("o", matrix, "s", name, "u", pid, "t", sequence), 0),
	SD_BUS_SIGNAL_WITH_ARGS("MatrixAttachFailed",
		SD_BUS_ARGS(
			"o", matrix, "s", name, "u", pid, "t", sequence, "i", error, "s", message),
		0),
	SD_BUS_SIGNAL_WITH_ARGS("ReconcileFinished", SD_BUS_ARGS("u", steps, "u", failures), 0),
	SD_BUS_VTABLE_END,
};
