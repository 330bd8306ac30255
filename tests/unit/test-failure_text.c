/* core/failure_text: messages and hints that read naturally, whatever is known. */
#include "check.h"

#include "core/failure.h"

#include <ctype.h>
#include <string.h>

static char buffer[2048];

static const char *
hint(const struct failure *failure)
{
	struct text text = TEXT_INIT(buffer);

	failure_hint(failure, &text);
	return buffer;
}

static const char *
hint_of(enum failure_code code)
{
	struct failure failure;

	failure_init(&failure, code, STAGE_CONNECT);
	return hint(&failure);
}

static void
nothing_is_left_open_where_nothing_is_known(void **state)
{
	(void)state;
	for (enum failure_code i = FAILURE_NONE + 1; i < FAILURE_COUNT; i++) {
		const char *text = hint_of(i);

		if (strpbrk(text, "{}[]|") || strstr(text, "  ") || strstr(text, " .") ||
		    strstr(text, " ,") || strstr(text, "()") || strstr(text, ": ."))
			fail_msg("%s: \"%s\"", failure_name(i), text);
		assert_true(strchr(".?", text[strlen(text) - 1]) != NULL);
		assert_true(isupper((unsigned char)text[0]) || text[0] == '`' ||
			    strncmp(text, "holdfast", 8) == 0);
	}
}

static void
every_placeholder_can_be_filled(void **state)
{
	static const char *const keys[] = {
		"date",	    "which",   "names",	 "name",     "dn",	"text",	  "file",
		"why",	    "sha256",  "aia",	 "alert",    "sni",	"reply",  "bytes",
		"protocol", "status",  "issuer", "reason",   "address", "option", "error",
		"missing",  "perhaps", "wanted", "greeting", "spoken",	"header",
	};

	(void)state;
	for (enum failure_code i = FAILURE_NONE + 1; i < FAILURE_COUNT; i++) {
		struct failure failure;
		const char *text;

		failure_init(&failure, i, STAGE_CONNECT);
		for (size_t k = 0; k < COUNT_OF(keys); k++)
			failure_add_detail(&failure, keys[k], "VALUE");
		text = hint(&failure);
		assert_null(strpbrk(text, "{}[]|"));
		assert_true(!strchr(failure_hint_template(i), '{') || strstr(text, "VALUE"));
	}
}

static void
hints_with_and_without_values(void **state)
{
	struct failure failure;

	(void)state;
	assert_string_equal(hint_of(FAILURE_TLS_CERTIFICATE_NAME),
			    "The certificate is for other names.");
	failure_init(&failure, FAILURE_TLS_CERTIFICATE_NAME, STAGE_HANDSHAKE);
	failure_add_detail(&failure, "names", "a.example, b.example");
	failure_add_detail(&failure, "name", "c.example");
	assert_string_equal(hint(&failure),
			    "The certificate is for a.example, b.example, wanted c.example.");
	assert_string_equal(hint_of(FAILURE_TLS_CERTIFICATE_EXPIRED),
			    "Expired: the server needs a new certificate.");
	failure_init(&failure, FAILURE_TLS_CERTIFICATE_EXPIRED, STAGE_HANDSHAKE);
	failure_add_detail(&failure, "date", "2026-01-01");
	failure_add_detail(&failure, "which", "the server's own");
	assert_string_equal(hint(&failure),
			    "Expired 2026-01-01 (the server's own): the server needs a new certificate.");
	assert_string_equal(hint_of(FAILURE_LOCAL_KEY_LOAD), "Cannot read the key.");
	failure_init(&failure, FAILURE_LOCAL_KEY_LOAD, STAGE_LOAD);
	failure_add_detail(&failure, "file", "/etc/k.pem");
	failure_add_detail(&failure, "why", "No such file or directory");
	assert_string_equal(hint(&failure), "Cannot read /etc/k.pem: No such file or directory.");
	assert_string_equal(hint_of(FAILURE_ADDRESS_INVALID), "Host, port or scope cannot be right.");
	failure_init(&failure, FAILURE_ADDRESS_INVALID, STAGE_RESOLVE);
	failure_add_detail(&failure, "why", "The port is 0");
	assert_string_equal(hint(&failure), "The port is 0.");
	assert_string_equal(hint_of(FAILURE_TLS_NAME_REFUSED),
			    "The server has no site of the name asked for.");
	assert_string_equal(
		hint_of(FAILURE_TLS_NOT_TLS),
		"The peer sends plain text instead of TLS: wrong port, or STARTTLS is needed.");
}

/* Of several alternatives the first that can be filled. */
static void
one_of_three(void **state)
{
	struct failure failure;

	(void)state;
	assert_string_equal(hint_of(FAILURE_PROTOCOL_STARTTLS_REPLY), "No server of the expected kind?");
	failure_init(&failure, FAILURE_PROTOCOL_STARTTLS_REPLY, STAGE_STARTTLS);
	failure_add_detail(&failure, "protocol", "SMTP");
	assert_string_equal(hint(&failure), "No SMTP server?");
	failure_add_detail(&failure, "wanted", "a reply of at most 16 KiB");
	assert_string_equal(hint(&failure),
			    "The reply is too long, wanted is a reply of at most 16 KiB.");
	assert_string_equal(hint_of(FAILURE_PROTOCOL_PROXY_REPLY),
			    "That is no HTTP or SOCKS proxy we can use.");
	failure_init(&failure, FAILURE_PROTOCOL_PROXY_REPLY, STAGE_PROXY);
	failure_add_detail(&failure, "reply", "302");
	assert_string_equal(hint(&failure), "That is no HTTP or SOCKS proxy we can use: 302.");
}

static void
an_empty_value_is_unknown(void **state)
{
	struct failure failure;

	(void)state;
	failure_init(&failure, FAILURE_PROTOCOL_PROBE_STATUS, STAGE_PROBE);
	failure_add_detail(&failure, "status", "");
	assert_string_equal(hint(&failure), "The application reports an error.");
}

static void
what_the_record_holds_fills_hints_too(void **state)
{
	struct failure failure;

	(void)state;
	failure_init(&failure, FAILURE_TLS_NOT_TLS, STAGE_HANDSHAKE);
	failure_set_evidence(&failure, "HTTP/1.1 400\r\n", 14);
	failure_add_detail(&failure, "protocol", "HTTP");
	assert_string_equal(hint(&failure),
			    "The peer sends HTTP instead of TLS: wrong port, or STARTTLS is needed. "
			    "First bytes: HTTP/1.1 400\\x0d\\x0a.");
	failure_init(&failure, FAILURE_TLS_PEER_ALERT, STAGE_HANDSHAKE);
	assert_string_equal(hint(&failure), "The server refused.");
	failure.alert_direction = ALERT_RECEIVED;
	failure.alert = 116;
	assert_string_equal(hint(&failure), "The server refused: alert certificate_required(116).");
	failure_init(&failure, FAILURE_CONNECTION_OTHER, STAGE_CONNECT);
	failure_set_error(&failure, 71, "EPROTO");
	assert_string_equal(hint(&failure), "Unforeseen error while connecting: EPROTO.");
	failure_init(&failure, FAILURE_TLS_CERTIFICATE_OTHER, STAGE_HANDSHAKE);
	strcpy(failure.verify_name, "X509_V_ERR_NEW");
	assert_string_equal(hint(&failure), "The certificate was not accepted: X509_V_ERR_NEW.");
}

static void
what_does_not_fit_is_cut(void **state)
{
	struct failure failure;
	char small[24];
	struct text text = TEXT_INIT(small);

	(void)state;
	failure_init(&failure, FAILURE_CONNECTION_REFUSED, STAGE_CONNECT);
	failure_hint(&failure, &text);
	assert_true(text.cut);
	assert_string_equal(small, "The host is up, nothing");
}

static void
alerts_verdicts_and_evidence(void **state)
{
	struct failure failure;
	struct text text = TEXT_INIT(buffer);

	(void)state;
	failure_init(&failure, FAILURE_TLS_CERTIFICATE_EXPIRED, STAGE_HANDSHAKE);
	failure_alert(&failure, &text);
	failure_verify(&failure, &text);
	failure_evidence(&failure, &text);
	assert_string_equal(buffer, "");
	failure.alert_direction = ALERT_RECEIVED;
	failure.alert = 116;
	failure_alert(&failure, &text);
	assert_string_equal(buffer, "received certificate_required(116)");
	text_init(&text, buffer, sizeof(buffer));
	failure.alert_direction = ALERT_SENT;
	failure.alert = 255;
	failure_alert(&failure, &text);
	assert_string_equal(buffer, "sent unknown(255)");
	text_init(&text, buffer, sizeof(buffer));
	failure.verify = 10;
	failure.verify_depth = 1;
	failure_verify(&failure, &text);
	assert_string_equal(buffer, "10 depth=1");
	text_init(&text, buffer, sizeof(buffer));
	strcpy(failure.verify_name, "X509_V_ERR_CERT_HAS_EXPIRED");
	failure_verify(&failure, &text);
	assert_string_equal(buffer, "X509_V_ERR_CERT_HAS_EXPIRED depth=1");
	text_init(&text, buffer, sizeof(buffer));
	failure_set_evidence(&failure, "a\\\0\"", 4);
	failure_evidence(&failure, &text);
	assert_string_equal(buffer, "a\\x5c\\x00\"");
}

static void
the_message_says_what_happened(void **state)
{
	struct failure failure;
	struct text text = TEXT_INIT(buffer);

	(void)state;
	failure_init(&failure, FAILURE_CONNECTION_RESET, STAGE_READY);
	failure_message(&failure, &text);
	assert_string_equal(buffer, "peer reset the connection");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left_open_where_nothing_is_known),
		cmocka_unit_test(every_placeholder_can_be_filled),
		cmocka_unit_test(hints_with_and_without_values),
		cmocka_unit_test(one_of_three),
		cmocka_unit_test(an_empty_value_is_unknown),
		cmocka_unit_test(what_the_record_holds_fills_hints_too),
		cmocka_unit_test(what_does_not_fit_is_cut),
		cmocka_unit_test(alerts_verdicts_and_evidence),
		cmocka_unit_test(the_message_says_what_happened),
	};

	RUN_TESTS(tests);
}
