#include "config/value.h"

#include <errno.h>
#include <string.h>

/* How far in a group's keys stand. */
static const char *const margins[] = { "", "\t", "\t\t", "\t\t\t" };

struct dump {
	FILE *out;
	const void *object;
	unsigned int depth;
	char group[32]; /* that is open, or "" */
};

static void
close_group(struct dump *dump)
{
	if (!*dump->group)
		return;
	fprintf(dump->out, "%s};\n", margins[--dump->depth]);
	dump->group[0] = '\0';
}

/* Make `path`'s group the open one, and return the name within it. */
static const char *
enter_group(struct dump *dump, const char *path)
{
	const char *dot = strchr(path, '.');
	char group[sizeof(dump->group)];

	snprintf(group, sizeof(group), "%.*s", dot ? (int)(dot - path) : 0, path);
	if (strcmp(group, dump->group) != 0) {
		close_group(dump);
		if (dot)
			fprintf(dump->out, "%s%s = {\n", margins[dump->depth++], group);
		text_copy(dump->group, sizeof(dump->group), group);
	}
	return dot ? dot + 1 : path;
}

/* Whether the group of keys says the same as the switch of its name would. */
static bool
is_said_by_group(const struct schema_key *key, const void *object)
{
	return key->type == TYPE_SWITCH && *(const bool *)schema_at_const(key, object);
}

/* Whether there is nothing to say with `key`, or another one says it. */
static bool
is_silent(const struct schema_key *key, const void *object)
{
	if (is_said_by_group(key, object))
		return true;
	return key->scope == SCOPE_UPSTREAM &&
	       (!schema_fits(key, object) || value_is_elsewhere(key, object));
}

static void
dump_key(struct dump *dump, const struct schema_key *key)
{
	const char *name;
	bool empty;

	if (is_silent(key, dump->object))
		return;
	name = enter_group(dump, key->path);
	empty = value_is_empty(key, dump->object);
	if (empty && key->empty_means) {
		fprintf(dump->out, "%s# %s: %s\n", margins[dump->depth], name, key->unset);
		return;
	}
	fprintf(dump->out, "%s%s = ", margins[dump->depth], name);
	value_print(key, dump->object, dump->out);
	fprintf(dump->out, ";%s%s\n", empty ? " # " : "", empty ? key->unset : "");
}

static void
dump_keys(struct dump *dump, enum schema_scope scope)
{
	schema_for_each(key, scope) if (key->type != TYPE_UPSTREAM && key->type != TYPE_UPSTREAMS &&
					strcmp(key->path, "conf_dir") != 0) dump_key(dump, key);
	close_group(dump);
}

static void
dump_daemon(const struct config *config, FILE *out)
{
	struct dump daemon = { .out = out, .object = config };

	/* Its drop-ins stand below: read once more, they would be there twice. */
	fputs("# The configuration in force, drop-ins included.  Their directory was ", out);
	value_print_string(config->conf_dir, strlen(config->conf_dir), out);
	fputs(".\nconf_dir = \"\";\n", out);
	dump_keys(&daemon, SCOPE_DAEMON);
	fputs("upstreams = (", out);
}

static void
dump_upstream(const struct config *config, size_t index, FILE *out)
{
	struct dump upstream = { .out = out, .object = config->upstreams[index], .depth = 2 };

	fputs(index == 0 ? "\n\t{\n" : ",\n\t{\n", out);
	dump_keys(&upstream, SCOPE_UPSTREAM);
	fputs("\t}", out);
}

int
config_dump_piece(const struct config *config, size_t index, FILE *out)
{
	if (index == 0)
		dump_daemon(config, out);
	else if (index <= config->upstream_count)
		dump_upstream(config, index - 1, out);
	else
		fputs(config->upstream_count > 0 ? "\n);\n" : " );\n", out);
	return ferror(out) || fflush(out) < 0 ? -(errno ? errno : EIO) : 0;
}

int
config_dump(const struct config *config, FILE *out)
{
	int r = 0;

	for (size_t index = 0; r == 0 && index <= config->upstream_count + 1; index++)
		r = config_dump_piece(config, index, out);
	return r;
}
