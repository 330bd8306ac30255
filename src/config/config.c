#include "config/config.h"

#include "base/must.h"
#include "base/text.h"
#include "config/parse.h"
#include "config/value.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_BY_DEFAULT_MAX 8     /* beyond, threads only take caches from each other */
#define DROP_INS_MAX	       10000 /* files in conf_dir; more are a problem */

static void
config_destroy_all(struct config *config)
{
	for (size_t i = 0; i < config->upstream_count; i++)
		upstream_unref(config->upstreams[i]);
	free(config->upstreams);
	schema_for_each(key, SCOPE_DAEMON) value_done(key, config);
	free(config->file);
	free(config);
}

struct config *
config_ref(struct config *config)
{
	if (config)
		atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
	return config;
}

struct config *
config_unref(struct config *config)
{
	if (config && atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel) == 1)
		config_destroy_all(config);
	return NULL;
}

/* A configuration that says nothing, read from `file`. */
static struct config *
config_new(const char *file)
{
	_cleanup_(config_unrefp) struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	atomic_init(&config->references, 1);
	config->file = strdup(file);
	if (!config->file)
		return NULL;
	schema_for_each(key, SCOPE_DAEMON) if (value_reset(key, config) < 0) return NULL;
	return steal(config);
}

static unsigned int
default_workers(void)
{
	cpu_set_t cpus;
	unsigned int count = 1;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 1)
		count = (unsigned int)CPU_COUNT(&cpus);
	return count > WORKERS_BY_DEFAULT_MAX ? WORKERS_BY_DEFAULT_MAX : count;
}

/* The directory part of `path`: "." where there is none. */
static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int
is_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".conf") == 0;
}

/* As bytes: the order shall not depend on anybody's locale. */
static int
compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
load_file(struct parsed *parsed, const char *path, const char *directory, bool is_main)
{
	_cleanup_(source_freep) struct source *source = NULL;
	int r = source_read(path, directory, parsed->problems, &source);

	if (r == 0)
		r = parse_source(parsed, source, is_main);
	return r == -EINVAL ? 0 : r; /* what is wrong has been noted; there may be more elsewhere */
}

/* Reads the *.conf files of `conf_dir`, which need not exist unless it was `named` in the file. */
static int
load_drop_ins(struct parsed *parsed, const char *conf_dir, const char *directory, bool named)
{
	struct dirent **entries = NULL;
	int count = scandir(conf_dir, &entries, is_drop_in, compare_entries), r = 0;

	if (count < 0 && errno == ENOMEM)
		return -ENOMEM;
	if (count < 0 && (named || errno != ENOENT))
		problems_add(parsed->problems, conf_dir, 0, "cannot be read: %s", strerror(errno));
	if (count > DROP_INS_MAX)
		problems_add(parsed->problems, conf_dir, 0, "%d files are too many (at most %d)",
			     count, DROP_INS_MAX);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", conf_dir, entries[i]->d_name);
		if (r == 0 && count <= DROP_INS_MAX)
			r = load_file(parsed, path, directory, false);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* By name; of one name, the one that was read first. */
static int
compare_parsed(const void *a, const void *b)
{
	const struct parsed_upstream *x = *(const struct parsed_upstream *const *)a;
	const struct parsed_upstream *y = *(const struct parsed_upstream *const *)b;
	int order = strcmp(x->upstream->name, y->upstream->name);

	return order != 0 ? order : (x > y) - (x < y);
}

/* Note each upstream of `sorted` that has the name of one before it. */
static void
find_twins(const struct parsed *parsed, struct parsed_upstream *const *sorted)
{
	for (size_t i = 1; i < parsed->upstream_count; i++) {
		const struct parsed_upstream *first = sorted[i - 1], *second = sorted[i];

		if (!*second->upstream->name ||
		    strcmp(first->upstream->name, second->upstream->name) != 0)
			continue;
		problems_add(parsed->problems, second->file, second->line,
			     "upstream \"%s\": name: stands already in %s:%u",
			     second->upstream->name, first->file, first->line);
	}
}

/* Moves the upstreams, sorted, from `parsed` into its configuration. */
static int
take_upstreams(struct parsed *parsed)
{
	_cleanup_(freep) struct parsed_upstream **sorted = NULL;
	struct config *config = parsed->config;
	size_t count = parsed->upstream_count;

	sorted = calloc(count + 1, sizeof(*sorted));
	config->upstreams = calloc(count + 1, sizeof(*config->upstreams));
	if (!sorted || !config->upstreams)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &parsed->upstreams[i];
	qsort(sorted, count, sizeof(*sorted), compare_parsed);
	find_twins(parsed, sorted);
	for (size_t i = 0; i < count; i++)
		config->upstreams[i] = upstream_ref(sorted[i]->upstream);
	config->upstream_count = count;
	return 0;
}

/* The defaults that take more than a constant.  `conf_dir` is taken over. */
static int
complete(struct config *config, char *conf_dir)
{
	if (config->workers == 0)
		config->workers = default_workers();
	if (config->conf_dir)
		free(conf_dir);
	else
		config->conf_dir = conf_dir;
	return config->conf_dir ? 0 : -ENOMEM;
}

/* Everything that `path` and its drop-ins say, into `parsed`. */
static int
load_all(struct parsed *parsed, const char *path)
{
	_cleanup_(freep) char *directory = directory_of(path);
	struct config *config = parsed->config;
	char *conf_dir = NULL;
	bool named;
	int r;

	if (!directory)
		return -ENOMEM;
	r = load_file(parsed, path, directory, true);
	if (r < 0)
		return r;
	named = config->conf_dir != NULL;
	if (asprintf(&conf_dir, "%s/conf.d", directory) < 0)
		return -ENOMEM;
	r = complete(config, conf_dir);
	if (r < 0 || !*config->conf_dir)
		return r;
	return load_drop_ins(parsed, config->conf_dir, directory, named);
}

static int
load_text(struct parsed *parsed, const char *text, const char *origin)
{
	_cleanup_(source_freep) struct source *source = NULL;
	int r = source_prepare(text, strlen(text), origin, parsed->problems, &source);

	if (r == 0)
		r = parse_source(parsed, source, true);
	if (r < 0)
		return r;
	return complete(parsed->config, strdup(""));
}

/* config_load() of `path`, or of `text` where there is one. */
static int
load(const char *path, const char *text, config_check_fn check, struct problems *problems,
     struct config **ret_config)
{
	_cleanup_(config_unrefp) struct config *config = config_new(path);
	_cleanup_(parsed_done) struct parsed parsed = { .config = config,
							.check = check,
							.problems = problems };
	size_t before = problems->count + problems->left_out;
	int r;

	if (!config)
		return -ENOMEM;
	r = text ? load_text(&parsed, text, path) : load_all(&parsed, path);
	if (r == 0)
		r = take_upstreams(&parsed);
	problems_sort(problems, path);
	if (r < 0)
		return r;
	if (problems->count + problems->left_out > before)
		return -EINVAL;
	*ret_config = steal(config);
	return 0;
}

int
config_load(const char *path, config_check_fn check, struct problems *problems, struct config **ret_config)
{
	return load(path, NULL, check, problems, ret_config);
}

int
config_load_text(const char *text, const char *origin, config_check_fn check,
		 struct problems *problems, struct config **ret_config)
{
	return load(origin, text, check, problems, ret_config);
}

static int
compare_name(const void *name, const void *element)
{
	const struct upstream *const *upstream = element;

	return strcmp(name, (*upstream)->name);
}

struct upstream *
config_find(const struct config *config, const char *name)
{
	struct upstream **found = config->upstream_count == 0 ?
					  NULL :
					  bsearch(name, config->upstreams, config->upstream_count,
						  sizeof(*config->upstreams), compare_name);

	return found ? *found : NULL;
}

/* The row of "log.level", whose words are the levels' names. */
static const struct schema_word *
levels(void)
{
	const struct schema_key *key = schema_find(SCOPE_DAEMON, "log.level");

	must(key);
	return key->words;
}

int
log_level_find(const char *name)
{
	for (const struct schema_word *level = levels(); level->word; level++)
		if (strcmp(level->word, name) == 0)
			return level->value;
	return -EINVAL;
}

const char *
log_level_name(enum log_level wanted)
{
	for (const struct schema_word *level = levels(); level->word; level++)
		if (level->value == (int)wanted)
			return level->word;
	must_not_reach();
}
