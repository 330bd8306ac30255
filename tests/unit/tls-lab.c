#include "tls-lab.h"

#include "sys/fd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DAY 86400L

struct lab_cert lab_root, lab_mid, lab_leaf;
static char directory[] = "/tmp/holdfast-tls-XXXXXX";

/* ---- certificates ----------------------------------------------------------------------------------------------- */

static void
add_ext(X509 *x509, const struct lab_cert *issuer, const struct lab_ext *ext)
{
	X509V3_CTX ctx;
	X509_EXTENSION *made;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer ? issuer->x509 : x509, x509, NULL, NULL, 0);
	made = X509V3_EXT_conf_nid(NULL, &ctx, ext->nid, ext->value);
	assert_non_null(made);
	assert_true(X509_add_ext(x509, made, -1));
	X509_EXTENSION_free(made);
}

static void
add_garbage(X509 *x509, const struct lab_spec *spec)
{
	ASN1_OBJECT *object = OBJ_txt2obj(spec->garbage_ext, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *made;

	size_t length = spec->garbage_bytes ? spec->garbage_bytes : 7;
	unsigned char *rubbish = malloc(length);

	assert_non_null(rubbish);
	memset(rubbish, 'r', length);
	assert_true(ASN1_OCTET_STRING_set(octets, rubbish, (int)length));
	free(rubbish);
	made = X509_EXTENSION_create_by_OBJ(NULL, object, spec->garbage_critical, octets);
	assert_non_null(made);
	assert_true(X509_add_ext(x509, made, -1));
	X509_EXTENSION_free(made);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(object);
}

void
lab_make(struct lab_cert *ret, const struct lab_spec *spec)
{
	static long serial = 1000;
	X509 *x509 = X509_new();
	EVP_PKEY *key = spec->rsa_bits ? EVP_RSA_gen((unsigned int)spec->rsa_bits) :
					 EVP_EC_gen("P-256");
	X509_NAME *name = X509_NAME_new();
	bool usual = spec->from == 0 && spec->to == 0;

	assert_non_null(key);
	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					       (const unsigned char *)spec->name, -1, -1, 0));
	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
	X509_set_subject_name(x509, name);
	X509_set_issuer_name(x509, spec->issuer ? X509_get_subject_name(spec->issuer->x509) : name);
	X509_gmtime_adj(X509_getm_notBefore(x509), usual ? -DAY : spec->from);
	X509_gmtime_adj(X509_getm_notAfter(x509), usual ? 30 * DAY : spec->to);
	X509_set_pubkey(x509, key);
	for (size_t i = 0; i < COUNT_OF(spec->ext) && spec->ext[i].value; i++)
		add_ext(x509, spec->issuer, &spec->ext[i]);
	if (spec->garbage_ext)
		add_garbage(x509, spec);
	assert_true(X509_sign(x509, spec->issuer ? spec->issuer->key : key,
			      spec->digest ? spec->digest : EVP_sha256()) > 0);
	X509_NAME_free(name);
	*ret = (struct lab_cert){ x509, key };
}

void
lab_done(struct lab_cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	*cert = (struct lab_cert){ 0 };
}

int
lab_setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	lab_make(&lab_root,
		 &(struct lab_spec){ .name = "Lab Root",
				     .ext = { { NID_basic_constraints, "critical,CA:TRUE" },
					      { NID_key_usage, "critical,keyCertSign,cRLSign" },
					      { NID_subject_key_identifier, "hash" } } });
	lab_make(&lab_mid,
		 &(struct lab_spec){ .name = "Lab Intermediate",
				     .issuer = &lab_root,
				     .ext = { { NID_basic_constraints, "critical,CA:TRUE" },
					      { NID_key_usage, "critical,keyCertSign,cRLSign" },
					      { NID_subject_key_identifier, "hash" } } });
	lab_make(&lab_leaf,
		 &(struct lab_spec){
			 .name = "Lab Leaf",
			 .issuer = &lab_mid,
			 .ext = { { NID_subject_alt_name, "DNS:" LAB_HOST ",DNS:*.wild.example,IP:192.0.2.7" },
				  { NID_ext_key_usage, "serverAuth" },
				  { NID_info_access, "caIssuers;URI:http://pki.example/mid.der" } } });
	lab_write("root.pem", (X509 *[]){ lab_root.x509, NULL }, NULL);
	return 0;
}

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

int
lab_teardown(void **state)
{
	(void)state;
	lab_done(&lab_root);
	lab_done(&lab_mid);
	lab_done(&lab_leaf);
	return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

const char *
lab_path(const char *name)
{
	static char paths[8][128];
	static unsigned int next;
	char *path = paths[next++ % COUNT_OF(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

const char *
lab_write(const char *name, X509 *const *certs, EVP_PKEY *key)
{
	const char *path = lab_path(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	for (; certs && *certs; certs++)
		assert_true(PEM_write_X509(file, *certs));
	if (key)
		assert_true(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
	fclose(file);
	return path;
}

const char *
lab_write_text(const char *name, const char *text)
{
	const char *path = lab_path(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static void
add_revoked(X509_CRL *crl, const X509 *x509)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
	ASN1_TIME *when = X509_gmtime_adj(NULL, -60);

	ASN1_ENUMERATED_set(reason, CRL_REASON_KEY_COMPROMISE);
	X509_REVOKED_set_serialNumber(revoked, (ASN1_INTEGER *)X509_get0_serialNumber(x509));
	X509_REVOKED_set_revocationDate(revoked, when);
	assert_true(X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, reason, 0, 0));
	assert_true(X509_CRL_add0_revoked(crl, revoked));
	ASN1_ENUMERATED_free(reason);
	ASN1_TIME_free(when);
}

const char *
lab_write_crl(const char *name, const struct lab_cert *issuer, const X509 *revoked, long to, bool append)
{
	const char *path = lab_path(name);
	FILE *file = fopen(path, append ? "ae" : "we");
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *last = X509_gmtime_adj(NULL, -DAY), *next = X509_gmtime_adj(NULL, to);

	assert_non_null(file);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509));
	X509_CRL_set1_lastUpdate(crl, last);
	X509_CRL_set1_nextUpdate(crl, next);
	if (revoked)
		add_revoked(crl, revoked);
	assert_true(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	assert_true(PEM_write_X509_CRL(file, crl));
	fclose(file);
	X509_CRL_free(crl);
	ASN1_TIME_free(last);
	ASN1_TIME_free(next);
	return path;
}

void
lab_pin(const X509 *x509, unsigned char ret_pin[32])
{
	unsigned char *der = NULL;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);

	assert_true(length > 0);
	assert_true(EVP_Digest(der, (size_t)length, ret_pin, NULL, EVP_sha256(), NULL));
	OPENSSL_free(der);
}

/* ---- server and client ------------------------------------------------------------------------------------------ */

void
lab_begin(struct lab *lab)
{
	*lab = (struct lab){
		.policy = { .enabled = true, .security_level = -1, .resumption = true },
		.target = { .kind = TARGET_NAME, .host = LAB_HOST, .port = 443 },
		.fds = { -1, -1 },
		.now = 1000 * USEC_PER_SEC,
		.stage = STAGE_HANDSHAKE,
	};
	lab->policy.ca_file = lab_path("root.pem");
	lab->policy.ca_file = strdup(lab->policy.ca_file);
	assert_int_equal(tls_pool_new(&lab->pool), 0);
	assert_int_equal(tls_sessions_new(lab->pool, &lab->sessions), 0);
}

void
lab_disconnect(struct lab *lab)
{
	lab->tls = tls_free(lab->tls);
	if (lab->server)
		SSL_set_quiet_shutdown(lab->server, 1);
	SSL_free(lab->server);
	lab->server = NULL;
	lab->fds[0] = fd_close(lab->fds[0]);
	lab->fds[1] = fd_close(lab->fds[1]);
	failure_done(&lab->failure);
}

void
lab_end(struct lab *lab)
{
	lab_disconnect(lab);
	SSL_CTX_free(lab->server_ctx);
	lab->sessions = tls_sessions_free(lab->sessions);
	lab->pool = tls_pool_free(lab->pool);
	free((char *)lab->policy.ca_file);
}

void
lab_connect(struct lab *lab)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	lab->fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(lab->fds[0], (struct sockaddr *)&address, sizeof(address)), 0);
	lab->fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(lab->fds[1] >= 0);
	assert_int_equal(fd_set_nonblocking(lab->fds[0]), 0);
	fd_close(listener);
}

void
lab_client(struct lab *lab)
{
	struct tls_setup setup = {
		.fd = lab->fds[0],
		.target = &lab->target,
		.srv_host = lab->srv_host,
		.policy = &lab->policy,
	};
	int r = tls_prepare(lab->sessions, &lab->policy, lab->now, &lab->failure);

	if (r < 0)
		print_message("%s: %s\n", failure_name(lab->failure.code),
			      failure_detail(&lab->failure, "why"));
	assert_int_equal(r, 0);
	failure_init(&lab->failure, FAILURE_NONE, lab->stage);
	assert_int_equal(tls_new(lab->sessions, &setup, lab->now, &lab->tls), 0);
}

static void
server_ctx_new(struct lab *lab, const struct lab_server *server)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509 *const *chain = server && server->chain[0] ?
				     server->chain :
				     (X509 *[]){ lab_leaf.x509, lab_mid.x509, NULL };

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"lab", 3);
	assert_true(SSL_CTX_use_certificate(ctx, chain[0]));
	assert_true(SSL_CTX_use_PrivateKey(ctx, server && server->key ? server->key : lab_leaf.key));
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	for (unsigned int i = 1; chain[i]; i++)
		assert_true(SSL_CTX_add1_chain_cert(ctx, chain[i]));
	if (server && server->configure)
		server->configure(ctx);
	lab->server_ctx = ctx;
}

void
lab_serve(struct lab *lab)
{
	char buffer[256];
	size_t length;

	ERR_clear_error();
	if (!SSL_is_init_finished(lab->server))
		SSL_do_handshake(lab->server);
	else
		SSL_read_ex(lab->server, buffer, sizeof(buffer), &length);
	ERR_clear_error();
}

static void
wait_a_little(struct lab *lab)
{
	struct pollfd fds = { .fd = lab->fds[0], .events = POLLIN };

	poll(&fds, 1, 10);
}

void
lab_pause(void)
{
	poll(NULL, 0, 100);
}

void
lab_wait(int fd)
{
	struct pollfd fds = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&fds, 1, 10000), 1);
}

enum tls_result
lab_shake(struct lab *lab)
{
	enum tls_result result = TLS_WANT_READ;

	for (unsigned int i = 0; i < 500 && result != TLS_DONE && result != TLS_FAILED; i++) {
		if (i > 0)
			wait_a_little(lab);
		result = tls_handshake(lab->tls, &lab->failure);
		if (lab->server)
			lab_serve(lab);
	}
	return result;
}

enum tls_result
lab_handshake(struct lab *lab, const struct lab_server *server)
{
	lab_disconnect(lab);
	if (!lab->server_ctx)
		server_ctx_new(lab, server);
	lab_connect(lab);
	lab_client(lab);
	lab->server = SSL_new(lab->server_ctx);
	SSL_set_fd(lab->server, lab->fds[1]);
	SSL_set_accept_state(lab->server);
	if (server && server->configure_ssl)
		server->configure_ssl(lab->server);
	return lab_shake(lab);
}

/* Whatever is wrong with a certificate: the failure shows the chain, with all that somebody needs to see it for himself. */
static void
assert_shown(const struct failure *failure)
{
	const char *name = failure_name(failure->code);
	const struct certificate *leaf;

	if (strncmp(name, "tls.certificate-", 16) != 0 && strncmp(name, "tls.crl-", 8) != 0 &&
	    strncmp(name, "tls.ocsp-", 9) != 0)
		return;
	if (failure->code == FAILURE_TLS_CERTIFICATE_OTHER)
		return; /* perhaps there was none */
	assert_true(chain_count(failure->chain) > 0);
	leaf = chain_certificate(failure->chain, 0);
	assert_true(leaf->subject && leaf->issuer && leaf->names);
	assert_true(leaf->not_before != 0 && leaf->not_after > leaf->not_before);
	assert_int_equal(strlen(leaf->sha256), 64);
	assert_int_equal(strlen(leaf->spki_sha256), 64);
}

enum failure_code
lab_code(struct lab *lab, const struct lab_server *server)
{
	enum tls_result result = lab_handshake(lab, server);

	assert_true(result == TLS_DONE || result == TLS_FAILED);
	if (result == TLS_FAILED)
		assert_shown(&lab->failure);
	return result == TLS_DONE ? FAILURE_NONE : lab->failure.code;
}

enum tls_result
lab_read(struct lab *lab, char *buffer, size_t size)
{
	enum tls_result result = TLS_WANT_READ;
	size_t length = 0;

	for (unsigned int i = 0; i < 20 && result != TLS_DONE && result != TLS_FAILED; i++) {
		if (i > 0)
			wait_a_little(lab);
		if (lab->server)
			lab_serve(lab);
		result = tls_read(lab->tls, buffer, size - 1, &length, &lab->failure);
	}
	buffer[length] = '\0';
	return result;
}

enum failure_code
lab_read_code(struct lab *lab)
{
	char buffer[256];

	assert_int_equal(lab_read(lab, buffer, sizeof(buffer)), TLS_FAILED);
	return lab->failure.code;
}

void
lab_hang_up(struct lab *lab, bool reset)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	char buffer[4096];

	if (reset)
		setsockopt(lab->fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	else
		while (recv(lab->fds[1], buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
			continue; /* unread octets would turn the end into a reset */
	SSL_free(lab->server);
	lab->server = NULL;
	lab->fds[1] = fd_close(lab->fds[1]);
}

enum tls_result
lab_speak(struct lab *lab, const void *bytes, size_t length, enum lab_then then)
{
	lab_disconnect(lab);
	lab_connect(lab);
	lab_client(lab);
	assert_int_equal(tls_handshake(lab->tls, &lab->failure), TLS_WANT_READ);
	if (length > 0)
		assert_int_equal(send(lab->fds[1], bytes, length, MSG_NOSIGNAL), (ssize_t)length);
	if (then != LAB_THEN_WAIT)
		lab_hang_up(lab, then == LAB_THEN_RESET);
	return lab_shake(lab);
}
