/* The pool: contexts, trust stores and CRLs that upstreams share, and how they are found again. */
#include "tls-lab.h"

#include "sys/tls_internal.h"

#include <stdio.h>
#include <unistd.h>

static int
prepare(struct lab *lab)
{
	lab->now += 2 * USEC_PER_SEC;
	return tls_prepare(lab->sessions, &lab->policy, lab->now, &lab->failure);
}

/* The most nodes in one bucket, and how many there are in all. */
static unsigned int
longest(struct list *buckets, unsigned int *ret_count)
{
	unsigned int most = 0;

	*ret_count = 0;
	for (unsigned int i = 0; i < TLS_BUCKETS; i++) {
		unsigned int here = 0;

		list_for_each(node, &buckets[i])
			here++;
		*ret_count += here;
		most = here > most ? here : most;
	}
	return most;
}

/* Upstreams with certificates of their own share the CRLs of one file, and a fresh copy when it has changed. */
static void
test_shared_crls(void **state)
{
	struct lab lab;
	struct tls_sessions *other;
	struct tls_policy policy;
	struct tls_crls *first;
	unsigned int count;
	uint64_t trust;

	(void)state;
	lab_begin(&lab);
	assert_int_equal(tls_sessions_new(lab.pool, &other), 0);
	lab.policy.crl_file = lab_write_crl("shared.crl", &lab_root, NULL, 3600, false);
	policy = lab.policy;
	policy.min_version = TLS_POLICY_VERSION_1_3;
	assert_int_equal(prepare(&lab), 0);
	assert_int_equal(tls_prepare(other, &policy, lab.now, &lab.failure), 0);
	assert_ptr_not_equal(other->context, lab.sessions->context);
	assert_non_null(other->context->crls);
	assert_ptr_equal(other->context->crls, lab.sessions->context->crls);
	assert_true(other->context->trust == lab.sessions->context->trust);
	first = other->context->crls;
	trust = other->context->trust;
	lab_write_crl("shared.crl", &lab_mid, NULL, 3600, true);
	assert_int_equal(prepare(&lab), 0);
	assert_ptr_not_equal(lab.sessions->context->crls, first); /* the other one's */
	assert_true(lab.sessions->context->trust != trust);
	assert_int_equal(tls_prepare(other, &policy, lab.now, &lab.failure), 0);
	assert_ptr_equal(other->context->crls, lab.sessions->context->crls);
	longest(lab.pool->crls, &count);
	assert_int_equal(count, 1);
	tls_sessions_free(other);
	lab_end(&lab);
}

static void
write_trust(bool more)
{
	lab_write("trust.pem", (X509 *[]){ lab_root.x509, more ? lab_leaf.x509 : NULL, NULL }, NULL);
	lab_write_crl("trust.crl", &lab_root, NULL, 3600, false);
	lab_write_crl("trust.crl", &lab_mid, NULL, 3600, true);
	if (more)
		lab_write_crl("trust.crl", &lab_leaf, NULL, 3600, true);
}

/* Connect, and let the server begin; the handshake is the caller's. */
static void
begin_handshake(struct lab *lab)
{
	lab_disconnect(lab);
	lab_connect(lab);
	lab_client(lab);
	lab->server = SSL_new(lab->server_ctx);
	SSL_set_fd(lab->server, lab->fds[1]);
	SSL_set_accept_state(lab->server);
}

static unsigned int
count_of(struct list *buckets)
{
	unsigned int count;

	longest(buckets, &count);
	return count;
}

/* A connection that is established keeps no CA certificates and CRLs that are out of date: it may last for months. */
static void
test_outdated(void **state)
{
	struct lab lab;
	const char *usual;
	char ca_file[128], crl_file[128];

	(void)state;
	lab_begin(&lab);
	usual = lab.policy.ca_file;
	text_copy(ca_file, sizeof(ca_file), lab_path("trust.pem"));
	text_copy(crl_file, sizeof(crl_file), lab_path("trust.crl"));
	lab.policy.ca_file = ca_file;
	lab.policy.crl_file = crl_file;
	lab.policy.resumption = false;
	write_trust(false);
	assert_code(lab_code(&lab, NULL), FAILURE_NONE);
	write_trust(true);
	assert_int_equal(prepare(&lab), 0);
	assert_ptr_not_equal(lab.tls->context, lab.sessions->context);
	assert_int_equal(count_of(lab.pool->stores), 1);
	assert_int_equal(count_of(lab.pool->crls), 1);
	assert_int_equal(tls_judge(lab.tls, lab.sessions, &lab.policy, &lab.failure), 0);
	begin_handshake(&lab);
	write_trust(false);
	assert_int_equal(prepare(&lab), 0);
	assert_int_equal(count_of(lab.pool->stores), 2); /* it is judged by what was there when it began */
	assert_int_equal(count_of(lab.pool->crls), 2);
	assert_int_equal(lab_shake(&lab), TLS_DONE);
	assert_int_equal(count_of(lab.pool->stores), 1);
	assert_int_equal(count_of(lab.pool->crls), 1);
	begin_handshake(&lab);
	write_trust(true);
	assert_int_equal(prepare(&lab), 0);
	lab_disconnect(&lab); /* in the middle of it */
	assert_int_equal(count_of(lab.pool->stores), 1);
	lab.policy.ca_file = usual;
	lab_end(&lab);
}

#define MANY 500

/* Many upstreams, each with a CA file of its own, are found again without asking all the others. */
static void
test_many(void **state)
{
	struct tls_sessions *sessions[MANY];
	struct tls_context *contexts[MANY];
	struct tls_policy policy;
	struct lab lab;
	unsigned int count;
	char name[32];

	(void)state;
	lab_begin(&lab);
	policy = lab.policy;
	for (unsigned int i = 0; i < 3 * MANY; i++) {
		unsigned int which = i % MANY;

		snprintf(name, sizeof(name), "own-%u.pem", which);
		policy.ca_file = lab_path(name);
		if (i < MANY) {
			assert_int_equal(symlink(lab.policy.ca_file, policy.ca_file), 0);
			assert_int_equal(tls_sessions_new(lab.pool, &sessions[which]), 0);
		}
		lab.now += 2 * USEC_PER_SEC / MANY; /* all are looked at anew each round */
		assert_int_equal(tls_prepare(sessions[which], &policy, lab.now, &lab.failure), 0);
		if (i < MANY)
			contexts[which] = sessions[which]->context;
		assert_ptr_equal(sessions[which]->context, contexts[which]);
	}
	assert_true(longest(lab.pool->contexts, &count) <= 8);
	assert_int_equal(count, MANY);
	assert_true(longest(lab.pool->stores, &count) <= 8);
	assert_int_equal(count, MANY);
	for (unsigned int i = 0; i < MANY; i++)
		tls_sessions_free(sessions[i]);
	lab_end(&lab);
}

static void
test_sharing(void **state)
{
	struct lab lab;
	struct tls_sessions *other, *third;
	struct tls_policy policy;
	unsigned int count;

	(void)state;
	lab_begin(&lab);
	assert_int_equal(tls_sessions_new(lab.pool, &other), 0);
	assert_int_equal(tls_sessions_new(lab.pool, &third), 0);
	assert_int_equal(prepare(&lab), 0);
	policy = lab.policy;
	policy.verify_name = "elsewhere.example"; /* concerns the connection alone */
	policy.sni = "";
	policy.verify = VERIFY_CHAIN;
	assert_int_equal(tls_prepare(other, &policy, lab.now, &lab.failure), 0);
	assert_ptr_equal(other->context, lab.sessions->context);
	policy.max_version = TLS_POLICY_VERSION_1_2;
	assert_int_equal(tls_prepare(third, &policy, lab.now, &lab.failure), 0);
	assert_ptr_not_equal(third->context, lab.sessions->context);
	assert_ptr_equal(third->context->store, lab.sessions->context->store);
	tls_sessions_free(other);
	tls_sessions_free(third);
	assert_int_equal(longest(lab.pool->contexts, &count), 1);
	assert_int_equal(count, 1); /* the unused one is gone */
	lab_end(&lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sharing),
		cmocka_unit_test(test_shared_crls),
		cmocka_unit_test(test_outdated),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
