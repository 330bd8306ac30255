/*
 * The configuration as a value: an immutable snapshot, counted, shared between threads.
 */
#pragma once

#include "base/cleanup.h"
#include "config/problems.h"
#include "core/upstream.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define UPSTREAMS_MAX 20000 /* more are a problem of the file: each needs a descriptor at least */
#define WORKERS_MAX   64

enum log_target {
	LOG_TARGET_SYSLOG,
	LOG_TARGET_JOURNAL,
	LOG_TARGET_STDERR,
};

enum log_level { /* from grave to slight; LEVEL's numbers are syslog's severities */
		 LEVEL_ERROR = 3,
		 LEVEL_WARNING = 4,
		 LEVEL_NOTICE = 5,
		 LEVEL_INFO = 6,
		 LEVEL_DEBUG = 7,
};

struct control_config {
	char *path;	   /* of the socket */
	mode_t mode;	   /* of the socket file, e.g. 0666 */
	char *group;	   /* that owns the socket file, or NULL */
	char *admin_group; /* whose members may change things, or NULL */
};

struct log_config {
	enum log_target target;
	enum log_level level;
	char *facility; /* "daemon", "local0", … */
	char *ident;	/* "holdfastd" */
};

struct config {
	atomic_uint references;
	uint32_t generation;  /* set by the manager; 0 when fresh from the parser */
	char *file;	      /* that was read */
	char *conf_dir;	      /* its drop-ins */
	unsigned int workers; /* never 0: "one per CPU, at most 8" has been worked out */
	struct control_config control;
	struct log_config log;
	struct upstream **upstreams; /* sorted by name (strcmp), each with a reference of the config's */
	size_t upstream_count;
};

/*
 * Judges an upstream's TLS settings for the parser, which knows no OpenSSL: sys/tls's tls_check_policy() in
 * the programs; NULL judges nothing.  Returns 0, or -EINVAL with the key's name (static) and a sentence.
 */
typedef int (*config_check_fn)(const struct tls_policy *policy, const char **ret_option, char *why,
			       size_t why_size);

/*
 * config_load(path, check, problems, ret_config):
 * Read the file at `path` and the *.conf of its conf_dir in name order, check everything, and make a
 * snapshot with one reference.  All problems found are added to `problems`.  Returns 0; -EINVAL where
 * there are problems; -ENOMEM.  Blocks on the disk.  Any thread.
 */
int config_load(const char *path, config_check_fn check, struct problems *problems,
		struct config **ret_config);

/*
 * config_load_text(text, origin, check, problems, ret_config):
 * The same for a text in memory (no drop-ins); `origin` stands in problems for the file's name.
 */
int config_load_text(const char *text, const char *origin, config_check_fn check,
		     struct problems *problems, struct config **ret_config);

/*
 * config_ref(config), config_unref(config):
 * Take or give back a reference; both take NULL; config_unref returns NULL.  Any thread.
 */
struct config *config_ref(struct config *config);
struct config *config_unref(struct config *config);

/*
 * config_find(config, name):
 * The upstream called `name`, borrowed, or NULL.
 */
struct upstream *config_find(const struct config *config, const char *name);

/*
 * config_dump(config, out):
 * Write the configuration in force, every key with its value after defaults, as a file that config_load()
 * reads back to an equal snapshot.  Returns 0 or the negative errno of the stream.
 */
int config_dump(const struct config *config, FILE *out);

/*
 * config_dump_piece(config, index, out):
 * Write piece `index` of what config_dump() writes: from 0, what stands before the upstreams, over the upstreams in their order, to
 * config->upstream_count + 1, what stands after them.  Returns 0 or the negative errno of the stream.
 */
int config_dump_piece(const struct config *config, size_t index, FILE *out);

/*
 * log_level_find(name):
 * The level called "error", "warning", "notice", "info" or "debug", or -EINVAL.
 * log_level_name(level) is its inverse.
 */
int log_level_find(const char *name);
const char *log_level_name(enum log_level level);

CLEANUP_DEFINE(struct config *, config_unref)
