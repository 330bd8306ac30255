/*
 * What the tests of sys/tls share: certificates of every kind, made on the spot, and an OpenSSL server in the same thread,
 * over loopback TCP.  Everything asserts; nothing is returned that could fail.
 */
#pragma once

#include "check.h"

#include "sys/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#define LAB_HOST      "up.example"
#define LAB_CHAIN_MAX 20

/* ---- certificates ----------------------------------------------------------------------------------------------- */

struct lab_cert {
	X509 *x509;
	EVP_PKEY *key;
};

struct lab_ext {
	int nid;
	const char *value; /* as in openssl.cnf */
};

struct lab_spec {
	const char *name;	       /* subject's CN */
	const struct lab_cert *issuer; /* NULL: itself */
	long from, to;		       /* seconds from now; both 0: yesterday to next month */
	int rsa_bits;		       /* 0: P-256 */
	const EVP_MD *digest;	       /* NULL: SHA-256 */
	struct lab_ext ext[6];
	const char *garbage_ext; /* OID of an extension of rubbish octets */
	bool garbage_critical;
	size_t garbage_bytes; /* 0: a few */
};

/* Make a certificate with a key of its own; lab_done() frees it. */
void lab_make(struct lab_cert *ret, const struct lab_spec *spec);
void lab_done(struct lab_cert *cert);

/* The usual ones: a root, an intermediate and a leaf for LAB_HOST with AIA.  Made once by lab_setup(). */
extern struct lab_cert lab_root, lab_mid, lab_leaf;

/* Group set-up and tear-down: the usual certificates, a directory for files, SIGPIPE left at its default. */
int lab_setup(void **state);
int lab_teardown(void **state);

/* The path of a file in the lab's directory; valid until the eighth call after. */
const char *lab_path(const char *name);
/* Write certificates (NULL-terminated), then a key (or NULL), into a file of that name; returns its path. */
const char *lab_write(const char *name, X509 *const *certs, EVP_PKEY *key);
const char *lab_write_text(const char *name, const char *text);
/* A CRL by `issuer`, revoking `revoked` (or NULL), valid until `to` seconds from now, appended to the file or begun. */
const char *lab_write_crl(const char *name, const struct lab_cert *issuer, const X509 *revoked,
			  long to, bool append);
/* The lower-case hex SHA-256 of the public key, and its raw octets for a pin. */
void lab_pin(const X509 *x509, unsigned char ret_pin[32]);

/* ---- server and client ------------------------------------------------------------------------------------------ */

/* How the server is; zero is a good one. */
struct lab_server {
	X509 *chain[LAB_CHAIN_MAX]; /* leaf first; [0] NULL: the usual leaf and intermediate */
	EVP_PKEY *key;
	void (*configure)(SSL_CTX *ctx);
	void (*configure_ssl)(SSL *ssl);
};

/* One upstream as the client sees it. */
struct lab {
	struct tls_pool *pool;
	struct tls_sessions *sessions;
	struct tls_policy policy;
	struct target target;
	const char *srv_host;
	SSL_CTX *server_ctx; /* kept from one connection to the next, so that its tickets stay good */
	struct tls *tls;
	SSL *server;
	int fds[2]; /* ours, the server's; -1: closed */
	usec_t now;
	struct failure failure;
	enum stage stage;
};

void lab_begin(struct lab *lab);
void lab_end(struct lab *lab);
/* A connected pair of non-blocking TCP sockets in lab->fds. */
void lab_connect(struct lab *lab);
/* tls_prepare() must succeed; tls_new() on lab->fds[0]. */
void lab_client(struct lab *lab);
/* Connect and shake hands with `server` (NULL: a good one) as far as it goes; the client's result. */
enum tls_result lab_handshake(struct lab *lab, const struct lab_server *server);
/* The same, and the code of its failure; FAILURE_NONE for success. */
enum failure_code lab_code(struct lab *lab, const struct lab_server *server);
/* Go on with the handshake as far as it goes. */
enum tls_result lab_shake(struct lab *lab);
/* Wait until there is something to read: octets reach the other end of a loopback in their own time. */
void lab_wait(int fd);
/* Let a little time pass. */
void lab_pause(void);
/* Let the server take one turn. */
void lab_serve(struct lab *lab);
/* Read until there is something, or an end; the server goes on meanwhile, unless it is NULL. */
enum tls_result lab_read(struct lab *lab, char *buffer, size_t size);
enum failure_code lab_read_code(struct lab *lab);
/* Close the server's end; `reset`: by RST. */
void lab_hang_up(struct lab *lab, bool reset);
/* End the connection, keep the upstream. */
void lab_disconnect(struct lab *lab);
/* The server is but these octets, sent after the ClientHello; then the end, a reset, or nothing. */
enum lab_then { LAB_THEN_WAIT, LAB_THEN_CLOSE, LAB_THEN_RESET };
enum tls_result lab_speak(struct lab *lab, const void *bytes, size_t length, enum lab_then then);

#define assert_code(got, expected) assert_string_equal(failure_name(got), failure_name(expected))
