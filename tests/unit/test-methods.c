/* The methods of the control socket, asked without a socket. */
#include "control-fixture.h"

#include "base/prng.h"
#include "main/control.h"
#include "main/interface.h"
#include "main/methods.h"

#define ANSWERS_MAX 256

/* What the client has been told. */
static struct {
	json_t *at[ANSWERS_MAX];
	size_t count;
} answers;

static struct varlink_output output;
static struct services services;
static struct call call;
static bool is_admin;
static unsigned int pokes;

static bool
on_is_admin(void *arg)
{
	(void)arg;
	return is_admin;
}

static void
on_poke(void *arg)
{
	(void)arg;
	pokes++;
}

static const struct call_host host = { on_is_admin, on_poke, NULL };

static void
forget_answers(void)
{
	while (answers.count > 0)
		json_decref(answers.at[--answers.count]);
}

/* Reads what was put out. */
static void
hear(void)
{
	while (output.length > 0) {
		const char *message = output.at + output.start;
		json_t *value = json_loads(message, JSON_REJECT_DUPLICATES, NULL);

		assert_non_null(value);
		assert_true(answers.count < ANSWERS_MAX);
		answers.at[answers.count++] = value;
		varlink_output_sent(&output, strlen(message) + 1);
	}
}

static void
go_on(void)
{
	while (call.state == CALL_STREAMING)
		call_step(&call);
	hear();
}

/* Begins a call; `message` is the whole of it, with ' for ". */
static void
begin(const char *message)
{
	struct varlink_reader reader;
	struct varlink_request request;
	size_t room, length = strlen(message) + 1;
	char *at;

	call_done(&call);
	forget_answers();
	varlink_reader_init(&reader, 4000);
	assert_int_equal(varlink_reader_room(&reader, &at, &room), 0);
	for (size_t i = 0; i < length; i++)
		at[i] = message[i] == '\'' ? '"' : message[i];
	varlink_reader_added(&reader, length);
	assert_int_equal(varlink_reader_next(&reader, &request), 1);
	call_init(&call, &services, &host, &output, &request);
	method_start(&call);
	varlink_reader_done(&reader);
}

static void
ask(const char *message)
{
	begin(message);
	go_on();
}

static int
setup(void **state)
{
	world_begin(state);
	varlink_output_init(&output);
	services = (struct services){
		.loop = world.loop,
		.manager = &world.manager,
		.notices = &world.notices,
		.started = UINT64_C(1795380481123456),
		.configured = UINT64_C(1795380481000000),
	};
	call = (struct call){ .state = CALL_ENDED };
	is_admin = true;
	pokes = 0;
	return 0;
}

static int
teardown(void **state)
{
	call_done(&call);
	forget_answers();
	varlink_output_done(&output);
	return world_end(state);
}

/* ---- what was answered ------------------------------------------------------------------------------------------ */

/* The value at a path like "parameters.upstream.name" of an answer, or NULL. */
static const json_t *
value_at(size_t index, const char *path)
{
	char copy[128], *rest = copy, *word;
	const json_t *value;

	assert_true(index < answers.count);
	value = answers.at[index];
	text_copy(copy, sizeof(copy), path);
	while ((word = strsep(&rest, ".")))
		value = json_object_get(value, word);
	return value;
}

static const char *
text_at(size_t index, const char *path)
{
	const char *text = json_string_value(value_at(index, path));

	assert_non_null(text);
	return text;
}

static long long
number_at(size_t index, const char *path)
{
	assert_true(json_is_integer(value_at(index, path)));
	return json_integer_value(value_at(index, path));
}

static void
check_error(const char *error, const char *member, const char *name)
{
	assert_int_equal(call.state, CALL_ENDED);
	assert_int_equal(answers.count, 1);
	assert_string_equal(text_at(0, "error"), error);
	if (member)
		assert_string_equal(
			json_string_value(json_object_get(value_at(0, "parameters"), member)), name);
	else
		assert_int_equal(json_object_size(value_at(0, "parameters")), 0);
}

static void
check_invalid(const char *message, const char *parameter)
{
	ask(message);
	check_error("org.varlink.service.InvalidParameter", "parameter", parameter);
}

/* The names at `path` of all answers, and that all but the last say that more follow. */
static void
check_stream(const char *path, const char *names)
{
	char got[512];
	struct text text = TEXT_INIT(got);

	assert_int_equal(call.state, CALL_ENDED);
	for (size_t i = 0; i < answers.count; i++) {
		text_addf(&text, "%s%s", i > 0 ? " " : "", text_at(i, path));
		assert_true(json_is_true(value_at(i, "continues")) == (i + 1 < answers.count));
	}
	assert_string_equal(got, names);
}

/* ---- org.varlink.service ---------------------------------------------------------------------------------------- */

static void
the_service_says_what_it_is(void **state)
{
	(void)state;
	ask("{'method':'org.varlink.service.GetInfo'}");
	assert_string_equal(text_at(0, "parameters.product"), "holdfastd");
	assert_string_equal(text_at(0, "parameters.version"), PACKAGE_VERSION);
	assert_int_equal(json_array_size(value_at(0, "parameters.interfaces")), 2);
	assert_int_equal(json_object_size(value_at(0, "parameters")), 5);
	assert_null(value_at(0, "continues"));
}

static void
check_description(const char *name, const char *text)
{
	char message[256];

	snprintf(message, sizeof(message),
		 "{'method':'org.varlink.service.GetInterfaceDescription','parameters':{'interface':'%s'}}",
		 name);
	ask(message);
	assert_non_null(strstr(text_at(0, "parameters.description"), text));
}

static void
it_serves_the_text_that_is_shipped(void **state)
{
	const char *tree = getenv("HOLDFAST_SRCDIR");
	char path[512], shipped[32768];
	size_t length;
	FILE *file;

	(void)state;
	check_description("org.varlink.service", "method GetInfo()");
	check_description("io.holdfast.Control", "method Wait(");
	snprintf(path, sizeof(path), "%s/src/main/io.holdfast.Control.varlink", tree ? tree : ".");
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(shipped, 1, sizeof(shipped) - 1, file);
	shipped[length] = '\0';
	fclose(file);
	assert_string_equal(text_at(0, "parameters.description"), shipped);
	ask("{'method':'org.varlink.service.GetInterfaceDescription','parameters':{'interface':'a.b'}}");
	check_error("org.varlink.service.InterfaceNotFound", "interface", "a.b");
}

/* Every method of the shipped interface is there: a stranger would be MethodNotFound. */
static void
every_method_of_the_interface_is_served(void **state)
{
	unsigned int count = 0;

	(void)state;
	for (const char *at = interface_text; (at = strstr(at, "\nmethod ")); count++) {
		char message[128];

		at += strlen("\nmethod ");
		snprintf(message, sizeof(message),
			 "{'method':'io.holdfast.Control.%.*s','parameters':{'?':1}}",
			 (int)strcspn(at, "("), at);
		check_invalid(message, "?");
	}
	assert_int_equal(count, 15);
}

static void
what_is_not_there_is_said_so(void **state)
{
	(void)state;
	ask("{'method':'a.b.C'}");
	check_error("org.varlink.service.InterfaceNotFound", "interface", "a.b");
	ask("{'method':'io.holdfast.Control.Frob'}");
	check_error("org.varlink.service.MethodNotFound", "method", "io.holdfast.Control.Frob");
	ask("{'method':'org.varlink.service.status'}");
	check_error("org.varlink.service.MethodNotFound", "method", "org.varlink.service.status");
	ask("{'method':'io.holdfast.Control.Status.X'}");
	check_error("org.varlink.service.InterfaceNotFound", "interface", "io.holdfast.Control.Status");
	check_invalid("{'method':'Status'}", "method");
	check_invalid("{'method':''}", "method");
	check_invalid("{'method':'.Status'}", "method");
	check_invalid("{'method':'io.holdfast.Control.'}", "method");
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

#define CALL(name, parameters) \
	"{'method':'io.holdfast.Control." name "','more':true,'parameters':{" parameters "}}"

static void
parameters_are_checked(void **state)
{
	(void)state;
	check_invalid(CALL("Status", "'x':null"), "x");
	check_invalid(CALL("List", "'names':'a'"), "names");
	check_invalid(CALL("List", "'names':[1]"), "names");
	check_invalid(CALL("List", "'names':['a',null]"), "names");
	check_invalid(CALL("List", "'name':'a'"), "name");
	check_invalid(CALL("History", "'name':[]"), "name");
	check_invalid(CALL("History", "'limit':'1'"), "limit");
	check_invalid(CALL("History", "'limit':1.5"), "limit");
	check_invalid(CALL("History", "'limit':0"), "limit");
	check_invalid(CALL("History", "'limit':-1"), "limit");
	check_invalid(CALL("Watch", "'kinds':['failure','frob']"), "kinds");
	check_invalid(CALL("Wait", ""), "names");
	check_invalid(CALL("Wait", "'names':null"), "names");
	check_invalid(CALL("Wait", "'names':[],'health':'fine'"), "health");
	check_invalid(CALL("Wait", "'names':[],'timeoutUSec':-1"), "timeoutUSec");
	check_invalid(CALL("Retry", ""), "name");
	check_invalid(CALL("Retry", "'name':7"), "name");
	check_invalid(CALL("Reconnect", "'name':'a','rolling':'yes'"), "rolling");
	check_invalid(CALL("Reload", "'dryRun':1"), "dryRun");
	check_invalid(CALL("Reload", "'confirmWithinUSec':60000000"), "confirmWithinUSec");
	check_invalid(CALL("Borrow", "'name':'a','timeoutUSec':true"), "timeoutUSec");
	check_invalid(CALL("SetLogLevel", "'level':'loud'"), "level");
	check_invalid(CALL("SetLogLevel", "'level':null"), "level");
	check_invalid("{'method':'io.holdfast.Control.Status','parameters':[]}", "parameters");
	check_invalid("{'method':'io.holdfast.Control.Status','more':1}", "more");
	check_invalid("{'method':'io.holdfast.Control.Status','upgrade':true}", "upgrade");
	assert_string_equal(world.manager.asked, "");
}

static void
only_administrators_change_things(void **state)
{
	static const char *const calls[] = {
		CALL("Retry", "'name':'a'"),  CALL("Reconnect", "'name':'a'"),
		CALL("Pause", "'name':'a'"),  CALL("Resume", "'name':'a'"),
		CALL("Reload", ""),	      CALL("Confirm", ""),
		CALL("Borrow", "'name':'a'"), CALL("SetLogLevel", "'level':'info'"),
	};

	(void)state;
	world_add("a");
	is_admin = false;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		ask(calls[i]);
		check_error("org.varlink.service.PermissionDenied", NULL, NULL);
	}
	assert_string_equal(world.manager.asked, "");
	assert_int_equal(world.level, -1);
	ask(CALL("Status", ""));
	assert_null(value_at(0, "error"));
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static void
status_counts(void **state)
{
	(void)state;
	world_link(world_add("a"), STAGE_READY);
	world_add("b");
	ask(CALL("Status", ""));
	assert_string_equal(text_at(0, "parameters.started"), "2026-11-22T20:48:01.123456Z");
	assert_string_equal(text_at(0, "parameters.configured"), "2026-11-22T20:48:01.000000Z");
	assert_int_equal(number_at(0, "parameters.upstreams"), 2);
	assert_int_equal(number_at(0, "parameters.up"), 1);
	assert_int_equal(number_at(0, "parameters.down"), 0);
	assert_int_equal(number_at(0, "parameters.logLost"), 5);
	assert_int_equal(json_object_size(value_at(0, "parameters")), 11);
}

static void
list_of_none_one_and_many(void **state)
{
	(void)state;
	ask("{'method':'io.holdfast.Control.List'}");
	assert_true(json_is_null(value_at(0, "parameters.upstream")));
	assert_int_equal(answers.count, 1);
	world_add("m");
	ask("{'method':'io.holdfast.Control.List'}");
	check_stream("parameters.upstream.name", "m");
	world_add("z");
	world_add("a");
	ask("{'method':'io.holdfast.Control.List'}");
	check_error("org.varlink.service.ExpectedMore", NULL, NULL);
	ask("{'method':'io.holdfast.Control.List','parameters':{'names':['z']}}");
	check_stream("parameters.upstream.name", "z");
	ask(CALL("List", ""));
	check_stream("parameters.upstream.name", "a m z");
	ask(CALL("List", "'names':['z','a']"));
	check_stream("parameters.upstream.name", "z a");
	ask(CALL("List", "'names':null"));
	check_stream("parameters.upstream.name", "a m z");
	ask(CALL("List", "'names':['z','frob']"));
	check_error("io.holdfast.Control.NoSuchUpstream", "name", "frob");
}

/* Between two steps of a stream anything may come and go; the last reply is the last all the same. */
static void
a_list_survives_a_reload(void **state)
{
	struct model_upstream *known[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		known[i] = world_add((const char *[]){ "a", "b", "c", "d" }[i]);
	begin(CALL("List", ""));
	call_step(&call);
	call_step(&call);
	world_drop(known[1]);
	world_drop(known[2]);
	world_drop(known[3]);
	world_add("bb");
	go_on();
	check_stream("parameters.upstream.name", "a b bb");

	begin(CALL("List", "'names':['a','bb']"));
	world_drop(model_find(world.manager.model, "a"));
	world_drop(model_find(world.manager.model, "bb"));
	go_on();
	assert_int_equal(answers.count, 1);
	assert_true(json_is_null(value_at(0, "parameters.upstream")));
}

static void
an_upstream_is_told_whole(void **state)
{
	struct model_upstream *known = world_add("a");

	(void)state;
	world_fail(known, FAILURE_CONNECTION_REFUSED, loop_now(world.loop));
	world_link(known, STAGE_READY);
	ask(CALL("List", ""));
	assert_string_equal(text_at(0, "parameters.upstream.health"), "up");
	assert_int_equal(number_at(0, "parameters.upstream.wanted"), 1);
	assert_int_equal(number_at(0, "parameters.upstream.ready"), 1);
	assert_int_equal(number_at(0, "parameters.upstream.counters.failed"), 1);
	assert_int_equal(json_integer_value(json_object_get(
				 value_at(0, "parameters.upstream.failures"), "connection.refused")),
			 1);
	assert_string_equal(text_at(0, "parameters.upstream.lastFailure.code"), "connection.refused");
	assert_int_equal(json_object_size(value_at(0, "parameters.upstream.availability")), 0);
	assert_string_equal(
		json_string_value(json_array_get(value_at(0, "parameters.upstream.addresses"), 0)),
		"192.0.2.7:636");
	assert_int_equal(json_array_size(value_at(0, "parameters.upstream.links")), 1);
	const json_t *link = json_array_get(value_at(0, "parameters.upstream.links"), 0);
	assert_string_equal(json_string_value(json_object_get(link, "stage")), "ready");
	assert_null(json_object_get(link, "tls"));
	assert_null(json_object_get(link, "retryInUSec"));
	assert_int_equal(json_object_size(json_object_get(link, "timings")), 0);
}

static void
a_failure_is_told_whole(void **state)
{
	struct model_upstream *known = world_add("a");
	struct certificate certificate = {
		.subject = strdup("CN=x"),
		.issuer = strdup("CN=\xff"),
		.names = calloc(2, sizeof(char *)),
		.not_before = -1,
		.not_after = INT64_MAX,
	};
	struct address_failure other = { .code = FAILURE_TIMEOUT_CONNECT, .error = "ETIMEDOUT" };
	struct event event = { .kind = EVENT_FAILURE, .id = known->id, .link = 1 };
	struct failure *failure = &event.failure;

	(void)state;
	certificate.names[0] = strdup("x.example");
	failure_init(failure, FAILURE_TLS_CERTIFICATE_EXPIRED, STAGE_HANDSHAKE);
	failure->chain = chain_new(&certificate, 1);
	address_from_ip(AF_INET, (const unsigned char[]){ 192, 0, 2, 1 }, 25, &other.address);
	failure->others = others_new(&other, 1);
	failure->peer = other.address;
	failure->retry_delay = 1500;
	failure->elapsed = 77;
	failure->verify = 10;
	text_copy(failure->verify_name, sizeof(failure->verify_name), "X509_V_ERR_CERT_HAS_EXPIRED");
	failure->alert_direction = ALERT_RECEIVED;
	failure->alert = 45;
	failure->error = 12345;
	failure_set_evidence(failure, "\x01hi", 3);
	model_event(world.manager.model, &event, loop_now(world.loop));

	ask(CALL("History", ""));
	assert_int_equal(answers.count, 1);
	assert_string_equal(text_at(0, "parameters.failure.class"), "tls");
	assert_string_equal(text_at(0, "parameters.failure.stage"), "handshake");
	assert_string_equal(text_at(0, "parameters.failure.life"), "persistent");
	assert_string_equal(text_at(0, "parameters.failure.blame"), "address");
	assert_string_equal(text_at(0, "parameters.failure.address"), "192.0.2.1:25");
	assert_string_equal(text_at(0, "parameters.failure.error"), "12345");
	assert_string_equal(text_at(0, "parameters.failure.evidence"), "\\x01hi");
	assert_non_null(strstr(text_at(0, "parameters.failure.alert"), "received"));
	assert_non_null(strstr(text_at(0, "parameters.failure.verify"), "depth=0"));
	assert_int_equal(number_at(0, "parameters.failure.retryInUSec"), 1500);
	assert_int_equal(number_at(0, "parameters.failure.elapsedUSec"), 77);
	assert_int_equal(json_object_size(value_at(0, "parameters.failure")), 20);
	const json_t *shown = json_array_get(value_at(0, "parameters.failure.chain"), 0);
	assert_string_equal(json_string_value(json_object_get(shown, "issuer")), "CN=\\xff");
	assert_string_equal(json_string_value(json_object_get(shown, "notBefore")),
			    "1969-12-31T23:59:59.000000Z");
	assert_string_equal(json_string_value(json_object_get(shown, "notAfter")),
			    "9999-12-31T23:59:59.999999Z");
	shown = json_array_get(value_at(0, "parameters.failure.otherAddresses"), 0);
	assert_string_equal(json_string_value(json_object_get(shown, "code")), "timeout.connect");
}

/* ---- history ---------------------------------------------------------------------------------------------------- */

static void
history_is_merged_by_time(void **state)
{
	struct model_upstream *a = world_add("a"), *b = world_add("b");

	(void)state;
	world_add("c");
	ask("{'method':'io.holdfast.Control.History'}");
	assert_true(json_is_null(value_at(0, "parameters.failure")));
	world_fail(b, FAILURE_CONNECTION_REFUSED, 10);
	ask("{'method':'io.holdfast.Control.History'}");
	check_stream("parameters.failure.upstream", "b");
	world_fail(a, FAILURE_CONNECTION_RESET, 20);
	world_fail(b, FAILURE_TIMEOUT_CONNECT, 30);
	world_fail(a, FAILURE_TLS_VERSION, 40);
	ask(CALL("History", ""));
	check_stream("parameters.failure.code",
		     "connection.refused connection.reset timeout.connect tls.version");
	ask("{'method':'io.holdfast.Control.History'}");
	check_error("org.varlink.service.ExpectedMore", NULL, NULL);
	ask("{'method':'io.holdfast.Control.History','parameters':{'limit':1}}");
	check_stream("parameters.failure.code", "tls.version");
	ask(CALL("History", "'limit':3"));
	check_stream("parameters.failure.code", "connection.reset timeout.connect tls.version");
	ask(CALL("History", "'name':'b','limit':9"));
	check_stream("parameters.failure.code", "connection.refused timeout.connect");
	ask(CALL("History", "'name':'c'"));
	assert_true(json_is_null(value_at(0, "parameters.failure")));
	ask(CALL("History", "'name':'d'"));
	check_error("io.holdfast.Control.NoSuchUpstream", "name", "d");
}

static void
history_of_many_is_in_order(void **state)
{
	enum { UPSTREAMS = 13, FAILURES = 200 };
	struct model_upstream *known[UPSTREAMS];
	struct prng prng;

	(void)state;
	prng_init(&prng, 7);
	for (int i = 0; i < UPSTREAMS; i++)
		known[i] = world_add((const char[]){ 'a', (char)('a' + i), '\0' });
	for (usec_t at = 1; at <= FAILURES; at++)
		world_fail(known[prng_below(&prng, UPSTREAMS)], FAILURE_TIMEOUT_CONNECT, at);
	ask(CALL("History", ""));
	assert_int_equal(answers.count, FAILURES);
	for (size_t i = 0; i < answers.count; i++)
		assert_int_equal(number_at(i, "parameters.failure.elapsedUSec"), i + 1);
	ask(CALL("History", "'limit':150"));
	assert_int_equal(answers.count, 150);
	assert_int_equal(number_at(0, "parameters.failure.elapsedUSec"), FAILURES - 150 + 1);
}

/* 64 of each are kept: a stream that is slow is overtaken, and still comes to an end of its own. */
static void
history_is_overtaken(void **state)
{
	struct model_upstream *a = world_add("a"), *b = world_add("b");
	usec_t at = 0;

	(void)state;
	for (int i = 0; i < 2 * HISTORY_MAX; i++) {
		world_fail(a, FAILURE_CONNECTION_RESET, ++at);
		world_fail(b, FAILURE_TIMEOUT_CONNECT, ++at);
	}
	begin(CALL("History", ""));
	call_step(&call);
	call_step(&call);
	for (int i = 0; i < HISTORY_MAX / 2; i++)
		world_fail(a, FAILURE_TLS_VERSION, ++at);
	world_drop(b);
	go_on();
	/* Two had been said, and of the other 63 the older half is gone. */
	assert_in_range(answers.count, HISTORY_MAX / 2, HISTORY_MAX / 2 + 3);
	for (size_t i = 0; i < answers.count; i++)
		assert_string_not_equal(text_at(i, "parameters.failure.code"), "tls.version");
	ask(CALL("History", "'limit':100"));
	assert_int_equal(answers.count, HISTORY_MAX);
}

/* ---- Watch ------------------------------------------------------------------------------------------------------ */

static void
watch_tells_what_was_asked_for(void **state)
{
	struct model_upstream *a = world_add("a"), *b = world_add("b");

	(void)state;
	ask("{'method':'io.holdfast.Control.Watch'}");
	check_error("org.varlink.service.ExpectedMore", NULL, NULL);
	ask(CALL("Watch", "'names':['x']"));
	check_error("io.holdfast.Control.NoSuchUpstream", "name", "x");
	ask(CALL("Watch", "'names':['a','a'],'kinds':['failure','health']"));
	assert_int_equal(call.state, CALL_WAITING);
	world_fail(b, FAILURE_TIMEOUT_CONNECT, 10);
	assert_int_equal(pokes, 0);
	world_fail(a, FAILURE_CONNECTION_REFUSED, 20);
	assert_true(pokes > 0);
	hear();
	assert_true(answers.count >= 1);
	for (size_t i = 0; i < answers.count; i++) {
		assert_true(json_is_true(value_at(i, "continues")));
		assert_string_equal(text_at(i, "parameters.event.upstream"), "a");
	}
	assert_string_equal(text_at(0, "parameters.event.kind"), "failure");
	assert_string_equal(text_at(0, "parameters.event.failure.code"), "connection.refused");
	assert_int_equal(number_at(0, "parameters.event.link"), 1);
}

static void
a_slow_watcher_is_told_how_much_it_lost(void **state)
{
	struct model_upstream *a = world_add("a");
	size_t bytes;

	(void)state;
	begin(CALL("Watch", "'kinds':['failure']"));
	while (output.length < CONTROL_OUTPUT_MAX)
		world_fail(a, FAILURE_CONNECTION_REFUSED, 10);
	bytes = output.length;
	for (int i = 0; i < 7; i++)
		world_fail(a, FAILURE_CONNECTION_REFUSED, 10);
	assert_int_equal(output.length, bytes);
	varlink_output_sent(&output, bytes);
	go_on();
	assert_string_equal(text_at(0, "error"), "io.holdfast.Control.Overrun");
	assert_int_equal(number_at(0, "parameters.lost"), 7);
	assert_true(call.hang_up);
}

/* ---- Wait ------------------------------------------------------------------------------------------------------- */

static void
turns_until(enum call_state wanted)
{
	while (call.state != wanted) {
		loop_turn(world.loop, true);
		go_on();
	}
}

static void
wait_returns_when_all_are_there(void **state)
{
	struct model_upstream *a = world_add("a"), *b = world_add("b");

	(void)state;
	ask(CALL("Wait", "'names':[]"));
	assert_int_equal(call.state, CALL_ENDED);
	ask(CALL("Wait", "'names':['a','b','a']"));
	assert_int_equal(call.state, CALL_WAITING);
	world_link(a, STAGE_READY);
	go_on();
	assert_int_equal(call.state, CALL_WAITING);
	world_link(b, STAGE_READY);
	assert_true(pokes > 0);
	go_on();
	assert_int_equal(call.state, CALL_ENDED);
	assert_int_equal(answers.count, 1);
	assert_int_equal(json_object_size(value_at(0, "parameters")), 0);
	ask(CALL("Wait", "'names':['a']"));
	assert_int_equal(call.state, CALL_ENDED);
	ask(CALL("Wait", "'names':['a'],'health':'starting'"));
	assert_int_equal(call.state, CALL_WAITING);
}

static void
wait_ends_in_time_or_with_the_upstream(void **state)
{
	struct model_upstream *a = world_add("a");
	struct notice removed = { .kind = NOTICE_CONFIG, .message = "removed", .stage = -1, .health = -1 };

	(void)state;
	ask(CALL("Wait", "'names':['x']"));
	check_error("io.holdfast.Control.NoSuchUpstream", "name", "x");
	ask(CALL("Wait", "'names':['a'],'timeoutUSec':1000"));
	turns_until(CALL_ENDED);
	check_error("io.holdfast.Control.TimedOut", NULL, NULL);
	ask(CALL("Wait", "'names':['a'],'timeoutUSec':0"));
	turns_until(CALL_ENDED);
	check_error("io.holdfast.Control.TimedOut", NULL, NULL);
	ask(CALL("Wait", "'names':['a'],'timeoutUSec':9223372036854775807"));
	assert_int_equal(call.state, CALL_WAITING);
	notices_tell(&world.notices, &removed);
	world_drop(a);
	go_on();
	check_error("io.holdfast.Control.NoSuchUpstream", "name", "a");
}

/* ---- changing --------------------------------------------------------------------------------------------------- */

static void
check_command(const char *message, const char *asked, long long links)
{
	ask(message);
	assert_string_equal(world.manager.asked, asked);
	assert_null(value_at(0, "error"));
	assert_int_equal(json_object_size(value_at(0, "parameters")), links < 0 ? 0 : 1);
	if (links >= 0)
		assert_int_equal(number_at(0, "parameters.links"), links);
}

static void
commands_reach_the_manager(void **state)
{
	(void)state;
	world_add("a");
	check_command(CALL("Retry", "'name':'a'"), "retry a", 3);
	check_command(CALL("Reconnect", "'name':'a'"), "reconnect a", 2);
	check_command(CALL("Reconnect", "'name':'a','rolling':true"), "roll a", 2);
	check_command(CALL("Pause", "'name':'a'"), "pause a", -1);
	check_command(CALL("Resume", "'name':'a'"), "resume a", -1);
	ask(CALL("Pause", "'name':'b'"));
	check_error("io.holdfast.Control.NoSuchUpstream", "name", "b");
	ask(CALL("Retry", "'name':'b'"));
	check_error("io.holdfast.Control.NoSuchUpstream", "name", "b");
	ask(CALL("SetLogLevel", "'level':'debug'"));
	assert_int_equal(world.level, LEVEL_DEBUG);
}

static void
what_comes_later_says_no(void **state)
{
	(void)state;
	world_add("a");
	ask(CALL("Confirm", ""));
	check_error("io.holdfast.Control.NotConfirmable", NULL, NULL);
	ask(CALL("Borrow", "'name':'a'"));
	check_error("io.holdfast.Control.NotLendable", "name", "a");
	ask(CALL("Borrow", "'name':'b'"));
	check_error("io.holdfast.Control.NoSuchUpstream", "name", "b");
}

static void
a_reload_is_answered_with_changes_or_problems(void **state)
{
	const json_t *problem;

	(void)state;
	world_add("a");
	ask(CALL("Reload", "'dryRun':true,'confirmWithinUSec':null"));
	assert_string_equal(world.manager.asked, "reload dry");
	ask(CALL("Reload", ""));
	assert_string_equal(world.manager.asked, "reload");
	const json_t *change = json_array_get(value_at(0, "parameters.changes"), 0);
	assert_string_equal(json_string_value(json_object_get(change, "upstream")), "a");
	assert_string_equal(json_string_value(json_object_get(change, "kind")), "changed");
	assert_int_equal(json_array_size(json_object_get(change, "keys")), 2);

	world.manager.reload = -EINVAL;
	ask(CALL("Reload", ""));
	assert_string_equal(text_at(0, "error"), "io.holdfast.Control.InvalidConfiguration");
	problem = json_array_get(value_at(0, "parameters.problems"), 0);
	assert_int_equal(json_integer_value(json_object_get(problem, "line")), 7);
	assert_string_equal(json_string_value(json_object_get(problem, "message")), "wrong \\xff here");
	assert_int_equal(json_array_size(value_at(0, "parameters.problems")), 2);

	world.manager.reload = -ENOMEM;
	ask(CALL("Reload", ""));
	assert_int_equal(call.state, CALL_BROKEN);
	assert_int_equal(answers.count, 0);
}

static void
metrics_and_config_are_texts(void **state)
{
	(void)state;
	ask(CALL("Metrics", ""));
	assert_string_equal(text_at(0, "parameters.text"), "lost 5\n# EOF\n");
}

static void
one_way_calls_are_done_in_silence(void **state)
{
	(void)state;
	world_add("a");
	world_add("b");
	ask("{'method':'io.holdfast.Control.Pause','oneway':true,'parameters':{'name':'a'}}");
	assert_string_equal(world.manager.asked, "pause a");
	assert_int_equal(answers.count, 0);
	ask("{'method':'io.holdfast.Control.Pause','oneway':true,'parameters':{'name':'x'}}");
	assert_int_equal(answers.count, 0);
	ask("{'method':'io.holdfast.Control.List','oneway':true,'more':true}");
	assert_int_equal(answers.count, 0);
	ask("{'method':'io.holdfast.Control.Watch','oneway':true,'more':true}");
	assert_int_equal(call.state, CALL_ENDED);
	ask("{'method':'a.b.C','oneway':true}");
	assert_int_equal(answers.count, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(the_service_says_what_it_is),
		TEST(it_serves_the_text_that_is_shipped),
		TEST(every_method_of_the_interface_is_served),
		TEST(what_is_not_there_is_said_so),
		TEST(parameters_are_checked),
		TEST(only_administrators_change_things),
		TEST(status_counts),
		TEST(list_of_none_one_and_many),
		TEST(a_list_survives_a_reload),
		TEST(an_upstream_is_told_whole),
		TEST(a_failure_is_told_whole),
		TEST(history_is_merged_by_time),
		TEST(history_of_many_is_in_order),
		TEST(history_is_overtaken),
		TEST(watch_tells_what_was_asked_for),
		TEST(a_slow_watcher_is_told_how_much_it_lost),
		TEST(wait_returns_when_all_are_there),
		TEST(wait_ends_in_time_or_with_the_upstream),
		TEST(commands_reach_the_manager),
		TEST(what_comes_later_says_no),
		TEST(a_reload_is_answered_with_changes_or_problems),
		TEST(metrics_and_config_are_texts),
		TEST(one_way_calls_are_done_in_silence),
	};

	RUN_TESTS(tests);
}
