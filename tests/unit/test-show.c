/* status and show: what a person reads, at every width. */
#include "ctl-fixture.h"
#include "ctl-sample.h"

#include "ctl/show.h"
#include "ctl/status.h"

static char *
print_status(json_t *const *upstreams, size_t count, unsigned int width)
{
	struct table *table = status_table();
	struct capture capture;

	capture_begin(&capture, width);
	for (size_t i = 0; i < count; i++) {
		char error[VIEW_ERROR_MAX];
		struct view_upstream view;

		assert_true(view_upstream(upstreams[i], &view, error));
		status_add(table, &capture.screen, &view, SAMPLE_NOW);
	}
	table_print(table, &capture.screen);
	capture_end(&capture);
	table_free(table);
	return capture.text;
}

/* A second upstream, which is up and has never failed. */
static json_t *
healthy(void)
{
	json_t *value = sample(SAMPLE_UPSTREAM);

	json_object_set_new(value, "name", json_string("cache"));
	json_object_set_new(value, "health", json_string("up"));
	json_object_set_new(value, "ready", json_integer(2));
	json_object_set_new(value, "reach", json_integer(255));
	json_object_set_new(value, "links", json_array());
	json_object_del(value, "lastFailure");
	return value;
}

static void
status_tells_what_is_wrong_at_80_columns(void **state)
{
	json_t *upstreams[] = { healthy(), sample(SAMPLE_UPSTREAM) };
	char *text = print_status(upstreams, 2, 80);

	(void)state;
	assert_string_equal(
		text, "NAME   HEALTH    READY  SINCE  REACH  LAST FAILURE             AGO  NEXT\n"
		      "ldap   degraded    1/2    12m    267  tls.certificate-expired  11s    8s\n"
		      "    192.0.2.7:636: peer's certificate has expired (X509_V_ERR_CERT_HAS_EXPIRED\n"
		      "    depth=0)\n"
		      "    Expired 2026-11-21 (leaf): the server needs a new certificate.\n"
		      "cache  up          2/2    12m    377\n");
	free(text);
	json_decref(upstreams[0]);
	json_decref(upstreams[1]);
}

static void
an_attempt_under_way_is_now(void **state)
{
	json_t *upstream = sample(SAMPLE_UPSTREAM);
	char *text;

	(void)state;
	json_object_set_new(json_array_get(json_object_get(upstream, "links"), 1), "stage",
			    json_string("handshake"));
	text = print_status(&upstream, 1, 0);
	assert_non_null(strstr(text, "11s   now\n"));
	free(text);
	json_decref(upstream);
}

static void
headline_with(json_int_t down, json_int_t starting, const char *expected)
{
	struct view_daemon daemon = {
		.version = "0.1.0",
		.started = "2026-11-22T18:00:00Z",
		.health = "degraded",
		.upstreams = 10 + down + starting,
		.up = 10,
		.down = down,
	};
	struct capture capture;

	capture_begin(&capture, 80);
	status_headline(&capture.screen, &daemon, SAMPLE_NOW);
	capture_end(&capture);
	assert_string_equal(capture.text, expected);
	free(capture.text);
}

static void
the_headline_counts_what_there_is(void **state)
{
	(void)state;
	headline_with(2, 0, "holdfastd 0.1.0, up 3 h: 12 upstreams, 10 up, 2 down\n");
	headline_with(0, 1, "holdfastd 0.1.0, up 3 h: 11 upstreams, 10 up, 1 starting or offline\n");
}

static char *
print_show(json_t *value, unsigned int width)
{
	char error[VIEW_ERROR_MAX];
	struct view_upstream view;
	struct capture capture;

	assert_true(view_upstream(value, &view, error));
	capture_begin(&capture, width);
	assert_true(show_upstream(&capture.screen, &view, SAMPLE_NOW, error));
	capture_end(&capture);
	return capture.text;
}

static void
show_leaves_nothing_out(void **state)
{
	static const char *const wanted[] = {
		"ldap: degraded for 12 min, 1 of 2 ready, reach 267\n",
		"14: 12 established, 2 failed\n",
		"tls.certificate-expired 2\n",
		"reload 1\n",
		"hour 99.810 %\n",
		"verification-disabled\n",
		"link 1: ready for 3 min\n",
		"192.0.2.7:636 from 192.0.2.1:40000\n",
		"resolve 1.2 ms, connect 3.4 ms, handshake 28 ms; round trip 2.9 ms\n",
		"812 B received, 4.0 MB sent\n",
		"TLSv1.3, TLS_AES_256_GCM_SHA384, x25519, ALPN h2, resumed\n",
		"2026-11-01 to 2026-12-01, 8 days left\n",
		"ldap.example.org, 192.0.2.7\n",
		"69ec2235497c6987489cefaedcb74a5e49492d79b7a5d88cea9a32e8b2c3155a\n",
		"93645f2a37dbbced57fad6bd06b5a4d3ec5d08824881d62802fa7c09e6b4f152\n",
		"link 2: backoff for 11 s, next attempt in 7 s\n",
		"last failure: tls.certificate-expired\n",
		"11 s ago, link 2\n",
		"peer's certificate has expired\n",
		"Expired 2026-11-21 (leaf): the server needs a new certificate.\n",
		"handshake, 1.2 ms after it began, at 192.0.2.7:636\n",
		"sent certificate_expired(45)\n",
		"X509_V_ERR_CERT_HAS_EXPIRED depth=0\n",
		"HTTP/1.1\n",
		"192.0.2.8:636: connection.refused (ECONNREFUSED)\n",
		"persistent; blames that address\n",
	};
	json_t *upstream = sample(SAMPLE_UPSTREAM);
	char *text = print_show(upstream, 0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		if (!strstr(text, wanted[i]))
			fail_msg("nowhere: %s in:\n%s", wanted[i], text);
	}
	free(text);
	json_decref(upstream);
}

static void
digests_fit_into_80_columns(void **state)
{
	json_t *upstream = sample(SAMPLE_UPSTREAM);
	char *text = print_show(upstream, 80);

	(void)state;
	assert_non_null(
		strstr(text, "69ec2235497c6987489cefaedcb74a5e49492d79b7a5d88cea9a32e8b2c3155a\n"));
	free(text);
	json_decref(upstream);
}

/* Replaces every string of `value` that is no time and no health by something strange. */
static void
make_strange(json_t *value, struct prng *prng)
{
	const char *key;
	json_t *member;
	size_t index;

	json_object_foreach(value, key, member)
	{
		char word[200];

		make_strange(member, prng);
		random_word(prng, word, sizeof(word) - 1);
		for (char *at = word; *at; at++)
			*at = *at == '\xff' ? '?' : *at; /* JSON is UTF-8 */
		strcat(word, ".");
		if (json_is_string(member) && !strstr(key, "ime") && strncmp(key, "not", 3) != 0)
			json_string_set(member, word);
	}
	json_array_foreach(value, index, member)
	{
		make_strange(member, prng);
	}
}

static void
nothing_is_too_wide(void **state)
{
	struct prng prng;

	(void)state;
	prng_init(&prng, 3);
	for (unsigned int width = SCREEN_WIDTH_MIN; width <= 200; width++) {
		json_t *upstreams[] = { sample(SAMPLE_UPSTREAM), healthy(), sample(SAMPLE_UPSTREAM) };
		char *text;

		make_strange(upstreams[0], &prng);
		for (size_t i = 0; i < COUNT_OF(upstreams); i++) {
			text = print_show(upstreams[i], width);
			assert_fits(text, width);
			free(text);
		}
		text = print_status(upstreams, COUNT_OF(upstreams), width);
		assert_fits(text, width);
		free(text);
		for (size_t i = 0; i < COUNT_OF(upstreams); i++)
			json_decref(upstreams[i]);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_tells_what_is_wrong_at_80_columns),
		cmocka_unit_test(an_attempt_under_way_is_now),
		cmocka_unit_test(the_headline_counts_what_there_is),
		cmocka_unit_test(show_leaves_nothing_out),
		cmocka_unit_test(digests_fit_into_80_columns),
		cmocka_unit_test(nothing_is_too_wide),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	RUN_TESTS(tests);
}
