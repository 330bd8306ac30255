/* Trust stores and CRLs, one for each distinct setting in each state of its files; and how such states are told apart. */
#include "base/hash.h"
#include "base/must.h"
#include "sys/regular.h"
#include "sys/tls_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CERTIFICATES_MAX \
	4096 /* of one file; more are refused: OpenSSL sorts them all for each one that it adds */

#define HASH_NAME_DIGITS 8 /* of "5ed36f99.0", as openssl-rehash(1) names certificates */

CLEANUP_DEFINE(BIO *, BIO_free_all)

static void
x509_infos_freep(STACK_OF(X509_INFO) * *infos)
{
	sk_X509_INFO_pop_free(*infos, X509_INFO_free);
}

/* Where CA certificates are to be found; both NULL: none are needed. */
struct ca_place {
	const char *file, *directory;
};

static void
closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

bool
tls_needs_trust(const struct tls_policy *policy)
{
	return policy->verify == VERIFY_FULL || policy->verify == VERIFY_CHAIN;
}

static const char *
from_environment(const char *variable, const char *otherwise)
{
	const char *value = secure_getenv(variable);

	return value ? value : otherwise;
}

/* The system's bundle where there is one, since a directory is asked anew for each unknown issuer. */
static struct ca_place
system_place(void)
{
	const char *directory_variable = X509_get_default_cert_dir_env();
	struct ca_place place = {
		.file = from_environment(X509_get_default_cert_file_env(), X509_get_default_cert_file()),
		.directory = from_environment(directory_variable, X509_get_default_cert_dir()),
	};

	if (access(place.file, R_OK) == 0)
		place.directory = secure_getenv(directory_variable);
	else if (access(place.directory, R_OK | X_OK) == 0)
		place.file = NULL;
	else
		place.directory = NULL; /* neither: the missing file is what will be told */
	return place;
}

static struct ca_place
ca_place(const struct tls_policy *policy)
{
	if (!tls_needs_trust(policy))
		return (struct ca_place){ 0 };
	if (policy->ca_file || policy->ca_dir)
		return (struct ca_place){ policy->ca_file, policy->ca_dir };
	return system_place();
}

void
tls_stamps_read(const struct tls_policy *policy, struct tls_stamps *ret_stamps)
{
	struct ca_place place = ca_place(policy);

	stamp_read(policy->certificate, &ret_stamps->at[TLS_FILE_CERTIFICATE]);
	stamp_read(policy->key, &ret_stamps->at[TLS_FILE_KEY]);
	stamp_read(policy->key_password_file, &ret_stamps->at[TLS_FILE_KEY_PASSWORD]);
	stamp_read(policy->crl_file, &ret_stamps->at[TLS_FILE_CRL]);
	stamp_read(place.file, &ret_stamps->at[TLS_FILE_CA]);
	stamp_read(place.directory, &ret_stamps->at[TLS_FILE_CA_DIR]);
}

bool
tls_stamps_equal(const struct tls_stamps *a, const struct tls_stamps *b)
{
	for (unsigned int i = 0; i < TLS_FILE_COUNT; i++) {
		if (!stamp_equal(&a->at[i], &b->at[i]))
			return false;
	}
	return true;
}

/* ---- look-up ---------------------------------------------------------------------------------------------------- */

static uint64_t
place_hash(const struct ca_place *place)
{
	return hash_text(hash_text(HASH_SEED, place->file), place->directory);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
is_hash_name(const char *name)
{
	for (unsigned int i = 0; i < HASH_NAME_DIGITS; i++) {
		if (!isxdigit((unsigned char)name[i]))
			return false;
	}
	return name[HASH_NAME_DIGITS] == '.' && isdigit((unsigned char)name[HASH_NAME_DIGITS + 1]);
}

/*
 * OpenSSL takes any path for a directory and then trusts nobody: say beforehand that nothing can be found there.  It opens what
 * is there by itself, in the middle of a handshake: what could hold it up is refused.
 */
static int
check_directory(const char *path, struct failure *failure)
{
	_cleanup_(closedirp) DIR *directory = opendir(path);
	struct dirent *entry;
	unsigned int count = 0;

	if (!directory)
		return tls_load_failed(failure, FAILURE_LOCAL_CA_LOAD, path);
	while ((entry = readdir(directory))) {
		if (!is_hash_name(entry->d_name))
			continue;
		if (!regular_or_gone_at(dirfd(directory), entry->d_name))
			return tls_load_failed_why(failure, FAILURE_LOCAL_CA_LOAD, path,
						   "something in it is no regular file");
		count++;
	}
	if (count > 0)
		return 0;
	return tls_load_failed_why(failure, FAILURE_LOCAL_CA_LOAD, path,
				   "no certificates with hashed names; run openssl rehash");
}

/* As X509_STORE_load_file(3): certificates, and CRLs among them.  Returns whether all could be taken, and how many. */
static bool
take_all(struct tls_store *store, const STACK_OF(X509_INFO) * infos, unsigned int *ret_count)
{
	*ret_count = 0;
	for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(infos, i);

		if (info->x509 && !X509_STORE_add_cert(store->x509, info->x509))
			return false;
		if (info->crl && !X509_STORE_add_crl(store->x509, info->crl))
			return false;
		if (!info->x509 && !info->crl)
			continue;
		if (info->x509)
			store->number = tls_number_certificate(store->number, info->x509);
		if (info->crl)
			store->number = tls_number_crl(store->number, info->crl);
		(*ret_count)++;
	}
	return true;
}

static bool
too_many(const STACK_OF(X509_INFO) * infos)
{
	unsigned int count = 0;

	for (int i = 0; i < sk_X509_INFO_num(infos); i++)
		count += sk_X509_INFO_value(infos, i)->x509 != NULL;
	return count > CERTIFICATES_MAX;
}

static int
store_load_file(struct tls_store *store, struct failure *failure)
{
	_cleanup_(BIO_free_allp) BIO *bio = NULL;
	_cleanup_(x509_infos_freep) STACK_OF(X509_INFO) *infos = NULL;
	unsigned int count;
	int r = tls_load_open(store->file, FAILURE_LOCAL_CA_LOAD, &bio, failure);

	if (r < 0)
		return r;
	infos = PEM_X509_INFO_read_bio(bio, NULL, tls_load_no_password, NULL);
	if (infos && too_many(infos))
		return tls_load_failed_why(failure, FAILURE_LOCAL_CA_LOAD, store->file,
					   "too many certificates in it");
	if (!infos || !take_all(store, infos, &count))
		return tls_load_failed(failure, FAILURE_LOCAL_CA_LOAD, store->file);
	if (count == 0)
		return tls_load_failed_why(failure, FAILURE_LOCAL_CA_LOAD, store->file,
					   "no certificate in it");
	return 0;
}

/* OpenSSL reads of a directory only what it needs, when it needs it: its own state stands for what is in it. */
static int
store_load_directory(struct tls_store *store, struct failure *failure)
{
	const struct stamp *stamp = &store->stamps[1];
	int r = check_directory(store->directory, failure);

	if (r < 0)
		return r;
	if (!X509_STORE_load_path(store->x509, store->directory))
		return tls_load_failed(failure, FAILURE_LOCAL_CA_LOAD, store->directory);
	store->number = tls_number_add(store->number, &stamp->inode, sizeof(stamp->inode));
	store->number = tls_number_add(store->number, &stamp->modified, sizeof(stamp->modified));
	return 0;
}

static int
store_load(struct tls_store *store, struct failure *failure)
{
	int r = 0;

	ERR_clear_error();
	store->x509 = X509_STORE_new();
	if (!store->x509)
		return tls_load_failed(failure, FAILURE_LOCAL_NO_MEMORY, NULL);
	errno = 0;
	if (store->file)
		r = store_load_file(store, failure);
	if (r == 0 && store->directory)
		r = store_load_directory(store, failure);
	return r;
}

struct tls_store *
tls_store_unref(struct tls_store *store)
{
	if (!store || --store->references > 0)
		return NULL;
	list_remove(&store->node);
	X509_STORE_free(store->x509);
	free(store->file);
	free(store->directory);
	free(store);
	return NULL;
}

CLEANUP_DEFINE(struct tls_store *, tls_store_unref)

static struct tls_store *
store_new(const struct ca_place *place, const struct tls_stamps *stamps)
{
	struct tls_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	list_init(&store->node);
	store->references = 1;
	store->hash = place_hash(place);
	store->file = place->file ? strdup(place->file) : NULL;
	store->directory = place->directory ? strdup(place->directory) : NULL;
	store->stamps[0] = stamps->at[TLS_FILE_CA];
	store->stamps[1] = stamps->at[TLS_FILE_CA_DIR];
	if ((place->file && !store->file) || (place->directory && !store->directory))
		return tls_store_unref(store);
	return store;
}

static struct tls_store *
store_find(struct tls_pool *pool, const struct ca_place *place, const struct tls_stamps *stamps)
{
	uint64_t hash = place_hash(place);

	list_for_each(node, &pool->stores[hash % TLS_BUCKETS]) {
		struct tls_store *store = container_of(node, struct tls_store, node);

		if (store->hash == hash && same_text(store->file, place->file) &&
		    same_text(store->directory, place->directory) &&
		    stamp_equal(&store->stamps[0], &stamps->at[TLS_FILE_CA]) &&
		    stamp_equal(&store->stamps[1], &stamps->at[TLS_FILE_CA_DIR]))
			return store;
	}
	return NULL;
}

int
tls_store_get(struct tls_pool *pool, const struct tls_policy *policy,
	      const struct tls_stamps *stamps, struct tls_store **ret_store, struct failure *failure)
{
	struct ca_place place = ca_place(policy);
	_cleanup_(tls_store_unrefp) struct tls_store *store = store_find(pool, &place, stamps);
	int r;

	if (store) {
		store->references++;
		*ret_store = steal(store);
		return 0;
	}
	store = store_new(&place, stamps);
	if (!store)
		return tls_load_failed(failure, FAILURE_LOCAL_NO_MEMORY, NULL);
	r = store_load(store, failure);
	if (r < 0)
		return r;
	list_append(&pool->stores[store->hash % TLS_BUCKETS], &store->node);
	*ret_store = steal(store);
	return 0;
}

/* ---- CRLs ------------------------------------------------------------------------------------------------------- */

struct tls_crls *
tls_crls_unref(struct tls_crls *crls)
{
	if (!crls || --crls->references > 0)
		return NULL;
	list_remove(&crls->node);
	sk_X509_CRL_pop_free(crls->list, X509_CRL_free);
	free(crls->file);
	free(crls);
	return NULL;
}

CLEANUP_DEFINE(struct tls_crls *, tls_crls_unref)

static struct tls_crls *
crls_new(const char *file, const struct stamp *stamp, uint64_t hash)
{
	struct tls_crls *crls = calloc(1, sizeof(*crls));

	if (!crls)
		return NULL;
	list_init(&crls->node);
	crls->references = 1;
	crls->hash = hash;
	crls->stamp = *stamp;
	crls->file = strdup(file);
	return crls->file ? crls : tls_crls_unref(crls);
}

static struct tls_crls *
crls_find(struct tls_pool *pool, const char *file, const struct stamp *stamp, uint64_t hash)
{
	list_for_each(node, &pool->crls[hash % TLS_BUCKETS]) {
		struct tls_crls *crls = container_of(node, struct tls_crls, node);

		if (crls->hash == hash && strcmp(crls->file, file) == 0 &&
		    stamp_equal(&crls->stamp, stamp))
			return crls;
	}
	return NULL;
}

/* Whether there is another list of the same issuer that ends later. */
static bool
is_superseded(const STACK_OF(X509_CRL) * list, const X509_CRL *crl, int64_t end)
{
	for (int i = 0; i < sk_X509_CRL_num(list); i++) {
		const X509_CRL *other = sk_X509_CRL_value(list, i);
		const ASN1_TIME *next = X509_CRL_get0_nextUpdate(other);

		if (other != crl && next && tls_time_seconds(next) > end &&
		    X509_NAME_cmp(X509_CRL_get_issuer(other), X509_CRL_get_issuer(crl)) == 0)
			return true;
	}
	return false;
}

/* The list that counts for its issuer and ends first. */
static void
note_end(struct tls_crls *crls)
{
	for (int i = 0; i < sk_X509_CRL_num(crls->list); i++) {
		const X509_CRL *crl = sk_X509_CRL_value(crls->list, i);
		const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
		int64_t begin = tls_time_seconds(X509_CRL_get0_lastUpdate(crl));
		int64_t end = next ? tls_time_seconds(next) : 0;

		if (end == 0 || (crls->expiry != 0 && end >= crls->expiry) ||
		    is_superseded(crls->list, crl, end))
			continue;
		crls->expiry = end;
		crls->due = end - (end - begin) / 10;
	}
}

int
tls_crls_get(struct tls_pool *pool, const char *file, const struct stamp *stamp,
	     struct tls_crls **ret_crls, struct failure *failure)
{
	uint64_t hash = hash_text(HASH_SEED, file);
	_cleanup_(tls_crls_unrefp) struct tls_crls *crls = crls_find(pool, file, stamp, hash);
	int r;

	if (crls) {
		crls->references++;
		*ret_crls = steal(crls);
		return 0;
	}
	crls = crls_new(file, stamp, hash);
	if (!crls)
		return tls_load_failed(failure, FAILURE_LOCAL_NO_MEMORY, NULL);
	r = tls_load_crls(file, &crls->list, failure);
	if (r < 0)
		return r;
	for (int i = 0; i < sk_X509_CRL_num(crls->list); i++)
		crls->number = tls_number_crl(crls->number, sk_X509_CRL_value(crls->list, i));
	note_end(crls);
	list_append(&pool->crls[hash % TLS_BUCKETS], &crls->node);
	*ret_crls = steal(crls);
	return 0;
}
