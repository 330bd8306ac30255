/* main/report and main/log_writer: what is logged, where it goes, and that a stuck reader stalls nobody. */
#include "namespace.h"

#include "main/logfmt.h"
#include "main/report.h"
#include "sys/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>

#define READ_TIMEOUT_MSEC 20000 /* far more than any machine needs */

/* Standard error is the writing end of a pipe whose reading end is `out`; `saved` is the real one. */
struct captured {
	int saved, out;
	char text[4 * 1024 * 1024];
	size_t length;
};

static struct captured captured;

static struct log_config
config_of(enum log_target target, enum log_level level)
{
	return (struct log_config){
		.target = target, .level = level, .facility = (char *)"local3", .ident = (char *)"tested"
	};
}

static int
capture(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	captured.saved = dup(STDERR_FILENO);
	captured.out = ends[0];
	captured.length = 0;
	captured.text[0] = '\0';
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	unsetenv("JOURNAL_STREAM");
	return 0;
}

static int
release(void **state)
{
	(void)state;
	assert_true(dup2(captured.saved, STDERR_FILENO) >= 0);
	close(captured.saved);
	close(captured.out);
	return 0;
}

/* Wait until there is something to read, and read it. */
static void
read_some(void)
{
	struct pollfd ready = { .fd = captured.out, .events = POLLIN };
	size_t room = 0;
	ssize_t got;

	if (captured.length < sizeof(captured.text))
		room = sizeof(captured.text) - 1 - captured.length;
	assert_int_equal(poll(&ready, 1, READ_TIMEOUT_MSEC), 1);
	got = read(captured.out, captured.text + captured.length, room);
	assert_true(got > 0);
	captured.length += (size_t)got;
	captured.text[captured.length] = '\0';
}

/* Read until `word` has been seen. */
static void
read_until(const char *word)
{
	while (!strstr(captured.text, word))
		read_some();
}

static struct report *
start(const struct log_config *config, struct notices *notices)
{
	struct report *report;

	notices_init(notices);
	assert_int_equal(report_new(config, notices, &report), 0);
	return report;
}

static void
tell(struct notices *notices, enum log_level level, const char *message)
{
	notices_tell(notices, &(struct notice){ .kind = NOTICE_CONFIG,
						.level = level,
						.realtime = clock_realtime(),
						.stage = -1,
						.health = -1,
						.message = message });
}

static void
lines_come_in_order(void **state)
{
	struct log_config config = config_of(LOG_TARGET_STDERR, LEVEL_INFO);
	struct notices notices;
	struct report *report = start(&config, &notices);

	(void)state;
	report_say(report, LEVEL_NOTICE, "start", "%d and %s", 1, "two");
	tell(&notices, LEVEL_INFO, "second");
	tell(&notices, LEVEL_DEBUG, "unseen");
	tell(&notices, LEVEL_ERROR, "third");
	report_free(report);
	read_until("third");
	assert_non_null(strstr(captured.text, "level=notice event=start msg=\"1 and two\"\n"));
	assert_true(strstr(captured.text, "second") < strstr(captured.text, "third"));
	assert_null(strstr(captured.text, "unseen"));
	/* Nobody is subscribed any more. */
	tell(&notices, LEVEL_ERROR, "fourth");
}

static void
the_level_can_be_set_until_the_file_changes_it(void **state)
{
	struct log_config config = config_of(LOG_TARGET_STDERR, LEVEL_WARNING);
	struct notices notices;
	struct report *report = start(&config, &notices);

	(void)state;
	report_say(report, LEVEL_INFO, "e", "one");
	report_set_level(report, LEVEL_DEBUG);
	report_say(report, LEVEL_DEBUG, "e", "two");
	/* A reload that leaves log.level alone leaves the level alone. */
	report_configure(report, &config);
	report_say(report, LEVEL_DEBUG, "e", "three");
	config.level = LEVEL_ERROR;
	report_configure(report, &config);
	report_say(report, LEVEL_WARNING, "e", "four");
	report_say(report, LEVEL_ERROR, "e", "five");
	report_free(report);
	read_until("five");
	assert_null(strstr(captured.text, "one"));
	assert_non_null(strstr(captured.text, "two"));
	assert_non_null(strstr(captured.text, "three"));
	assert_null(strstr(captured.text, "four"));
}

/* Nobody reads the pipe: saying goes on without waiting, and what is lost is counted and said. */
static void
a_stuck_reader_stalls_nobody(void **state)
{
	struct log_config config = config_of(LOG_TARGET_STDERR, LEVEL_INFO);
	struct notices notices;
	struct report *report = start(&config, &notices);
	unsigned int said = 3 * REPORT_QUEUE_MAX, seen = 0;
	unsigned long long lost;
	char expected[64];

	(void)state;
	for (unsigned int i = 0; i < said; i++)
		report_say(report, LEVEL_INFO, "flood",
			   "%u: a line long enough to fill the pipe soon, and then the queue", i);
	lost = report_lost(report);
	assert_true(lost > 0 && lost < said);
	snprintf(expected, sizeof(expected), "event=log-lost lost=%llu ", lost);
	read_until(expected);
	for (const char *at = captured.text; (at = strstr(at, "event=flood")); at++)
		seen++;
	assert_int_equal(seen + lost, said);
	report_say(report, LEVEL_INFO, "after", "all is well");
	read_until("event=after");
	assert_null(strstr(strstr(captured.text, "event=log-lost") + 1, "event=log-lost"));
	assert_int_equal(report_lost(report), lost);
	report_free(report);
}

static void
a_stuck_writer_is_left_behind(void **state)
{
	struct log_config config = config_of(LOG_TARGET_STDERR, LEVEL_INFO);
	struct notices notices;
	struct report *report = start(&config, &notices);
	usec_t before = clock_now();

	(void)state;
	for (unsigned int i = 0; i < 2000; i++)
		report_say(report, LEVEL_INFO, "flood",
			   "%u: a line long enough to fill the pipe soon, and then it is stuck", i);
	report_free(report);
	assert_true(clock_now() - before >= USEC_PER_SEC);
	/* Once it is read, the thread writes the rest and frees what it was left with. */
	read_until("1999: ");
}

/* Standard error is shared: whoever else holds it may have made it non-blocking. */
static void
a_full_non_blocking_descriptor_is_waited_for(void **state)
{
	struct log_config config = config_of(LOG_TARGET_STDERR, LEVEL_INFO);
	struct notices notices;
	struct report *report = start(&config, &notices);
	unsigned int said = REPORT_QUEUE_MAX / 2, lines = 0;

	(void)state;
	assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK), 0);
	for (unsigned int i = 0; i < said; i++)
		report_say(report, LEVEL_INFO, "flood",
			   "%u: a line long enough to fill the pipe long before the last", i);
	report_say(report, LEVEL_INFO, "after", "all is well");
	read_until("event=after msg=\"all is well\"\n");
	for (const char *at = captured.text; (at = strstr(at, "before the last\"\ntime=")); at++)
		lines++;
	assert_int_equal(lines, said);
	assert_int_equal(report_lost(report), 0);
	report_free(report);
}

/* Nobody reads, and nobody ever will: each line is lost, also those that would say so; until somebody reads again. */
static void
lines_that_cannot_be_written_are_lost_and_said(void **state)
{
	struct log_config config = config_of(LOG_TARGET_STDERR, LEVEL_INFO);
	struct notices notices;
	struct report *report = start(&config, &notices);
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(captured.out);
	captured.out = ends[0];
	for (unsigned int i = 0; i < 3; i++)
		report_say(report, LEVEL_INFO, "unheard", "%u", i);
	while (report_lost(report) < 3)
		usleep(1000);
	/* When it is time to say so (LOSS_SAID_INTERVAL), the line that does is lost too, and is no loss of its own. */
	usleep(5100 * 1000);
	report_say(report, LEVEL_INFO, "unheard", "3");
	while (report_lost(report) < 4)
		usleep(1000);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	while (!strstr(captured.text, "event=log-lost")) {
		report_say(report, LEVEL_INFO, "heard", "again");
		usleep(50 * 1000);
		read_some();
	}
	assert_non_null(strstr(captured.text, "event=log-lost lost=4 "));
	assert_int_equal(report_lost(report), 4);
	report_free(report);
}

/* A service manager's journal reads our standard error: it has its own time, and wants to know the priority. */
static void
the_journal_reads_standard_error(void **state)
{
	struct log_config config = config_of(LOG_TARGET_STDERR, LEVEL_INFO);
	struct notices notices;
	struct report *report;

	(void)state;
	setenv("JOURNAL_STREAM", "8:1234", 1);
	report = start(&config, &notices);
	report_say(report, LEVEL_WARNING, "e", "one");
	report_free(report);
	read_until("one");
	assert_string_equal(captured.text, "<4>event=e msg=one\n");
}

/* ---- syslog and journal, in a namespace of our own ------------------------------------------------ */

static bool has_namespace;

/* A datagram socket at `path`, whose folder becomes an empty one. */
static int
listen_at(const char *folder, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!has_namespace)
		skip_because("no namespaces of our own are allowed here");
	assert_true(fd >= 0);
	assert_int_equal(mount("tmpfs", folder, "tmpfs", 0, NULL), 0);
	mkdir("/run/systemd", 0755);
	mkdir("/run/systemd/journal", 0755);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void
receive(int fd, char *buffer, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t got;

	assert_int_equal(poll(&ready, 1, READ_TIMEOUT_MSEC), 1);
	got = recv(fd, buffer, size - 1, 0);
	assert_true(got >= 0);
	buffer[got] = '\0';
}

static void
syslog_gets_facility_and_severity(void **state)
{
	int fd = listen_at("/dev", "/dev/log");
	struct log_config config = config_of(LOG_TARGET_SYSLOG, LEVEL_INFO);
	struct notices notices;
	struct report *report = start(&config, &notices);
	char line[1024], expected[32];

	(void)state;
	report_say(report, LEVEL_WARNING, "e", "hello");
	receive(fd, line, sizeof(line));
	snprintf(expected, sizeof(expected), "<%d>", LOG_LOCAL3 | LOG_WARNING);
	assert_int_equal(strncmp(line, expected, strlen(expected)), 0);
	assert_non_null(strstr(line, " tested["));
	assert_non_null(strstr(line, "]: event=e msg=hello"));
	/* A reload gives it another name. */
	config.ident = (char *)"renamed";
	report_configure(report, &config);
	report_say(report, LEVEL_ERROR, "e", "again");
	receive(fd, line, sizeof(line));
	assert_non_null(strstr(line, " renamed["));
	report_free(report);
	close(fd);
}

/* MEASURED.md: with a stalled reader the 12th call of syslog(3) blocks for ever. */
static void
a_stalled_syslog_stalls_nobody(void **state)
{
	int fd = listen_at("/dev", "/dev/log");
	struct log_config config = config_of(LOG_TARGET_SYSLOG, LEVEL_INFO);
	struct notices notices;
	struct report *report = start(&config, &notices);
	unsigned int seen = 0, said = 2 * REPORT_QUEUE_MAX;
	unsigned long long told = 0;
	char line[1024];

	(void)state;
	for (unsigned int i = 0; i < said; i++)
		report_say(report, LEVEL_INFO, "flood", "%u", i);
	assert_true(report_lost(report) > 0);
	while (told == 0) {
		const char *lost;

		receive(fd, line, sizeof(line));
		seen += strstr(line, "event=flood") != NULL;
		lost = strstr(line, "event=log-lost lost=");
		told = lost ? strtoull(lost + strlen("event=log-lost lost="), NULL, 10) : 0;
	}
	while (seen + told < said) {
		receive(fd, line, sizeof(line));
		seen += strstr(line, "event=flood") != NULL;
	}
	assert_int_equal(told, report_lost(report));
	report_free(report);
	close(fd);
}

static bool
holds(const char *datagram, const char *field)
{
	const char *at = strstr(datagram, field);

	return at && (at == datagram || at[-1] == '\n') && at[strlen(field)] == '\n';
}

static void
the_journal_gets_fields(void **state)
{
	int fd = listen_at("/run", "/run/systemd/journal/socket");
	struct log_config config = config_of(LOG_TARGET_JOURNAL, LEVEL_INFO);
	struct notices notices;
	struct report *report = start(&config, &notices);
	struct failure failure;
	char datagram[16384], id[64];

	(void)state;
	failure_init(&failure, FAILURE_TLS_ALPN, STAGE_HANDSHAKE);
	notices_tell(&notices, &(struct notice){ .kind = NOTICE_FAILURE,
						 .level = LEVEL_ERROR,
						 .upstream = "ldap",
						 .link = 2,
						 .stage = -1,
						 .health = -1,
						 .failure = &failure,
						 .message = "no common protocol" });
	receive(fd, datagram, sizeof(datagram));
	snprintf(id, sizeof(id), "MESSAGE_ID=%s", message_id_text(MESSAGE_ID_TLS));
	assert_true(holds(datagram, id));
	assert_true(holds(datagram, "PRIORITY=3"));
	assert_true(holds(datagram, "SYSLOG_FACILITY=19"));
	assert_true(holds(datagram, "SYSLOG_IDENTIFIER=tested"));
	assert_true(holds(datagram, "HOLDFAST_UPSTREAM=ldap"));
	assert_true(holds(datagram, "HOLDFAST_LINK=2"));
	assert_true(holds(datagram, "HOLDFAST_CODE=tls.alpn"));
	assert_true(holds(datagram, "HOLDFAST_MSG=no common protocol"));
	assert_non_null(strstr(datagram, "\nMESSAGE=upstream=ldap link=2 event=failure "));
	report_free(report);
	close(fd);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_come_in_order, capture, release),
		cmocka_unit_test_setup_teardown(the_level_can_be_set_until_the_file_changes_it,
						capture, release),
		cmocka_unit_test_setup_teardown(a_stuck_reader_stalls_nobody, capture, release),
		cmocka_unit_test_setup_teardown(a_stuck_writer_is_left_behind, capture, release),
		cmocka_unit_test_setup_teardown(a_full_non_blocking_descriptor_is_waited_for,
						capture, release),
		cmocka_unit_test_setup_teardown(lines_that_cannot_be_written_are_lost_and_said,
						capture, release),
		cmocka_unit_test_setup_teardown(the_journal_reads_standard_error, capture, release),
		cmocka_unit_test(syslog_gets_facility_and_severity),
		cmocka_unit_test(a_stalled_syslog_stalls_nobody),
		cmocka_unit_test(the_journal_gets_fields),
	};

	has_namespace = namespace_enter();
	RUN_TESTS(tests);
}
