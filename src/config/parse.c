#include "config/parse.h"

#include "base/must.h"
#include "config/check.h"
#include "config/value.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define LIBCONFIG_NAMES_MAX \
	128 /* bytes of a dotted path in a file; what is longer is cut and unknown */

/* One source on its way into `parsed`. */
struct parse {
	struct parsed *parsed;
	const struct source *source;
	bool is_main;
	const config_setting_t *defaults_group; /* or NULL */
	struct upstream *defaults;		/* what it says; or NULL */
	bool defaults_bad[SCHEMA_KEYS_MAX];
};

/* The daemon, the defaults or one upstream, whose keys are being read. */
struct reading {
	struct parse *parse;
	enum schema_scope scope;
	void *object;			    /* struct config or struct upstream */
	bool is_defaults;		    /* the keys of `defaults` */
	char where[UPSTREAM_NAME_MAX + 16]; /* "upstream \"db\": " */
	bool bad[SCHEMA_KEYS_MAX];	    /* keys that have been complained about */
};

static int parse_group(struct reading *reading, const config_setting_t *group, const char *prefix);

/* Note a problem of `reading` at `line` of the prepared text; `path` "" where no key is concerned. */
static int __attribute__((format(printf, 4, 5)))
complain(const struct reading *reading, unsigned int line, const char *path, const char *format, ...)
{
	const struct parse *parse = reading->parse;
	char sentence[VALUE_SENTENCE_MAX];
	const char *file;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	file = source_place(parse->source, line, &line);
	problems_add(parse->parsed->problems, file, line, "%s%s%s%s", reading->where, path,
		     *path ? ": " : "", sentence);
	return -EINVAL;
}

static unsigned int
line_of(const config_setting_t *setting)
{
	return config_setting_source_line(setting);
}

static void
value_complains(const struct value_site *site, const char *sentence)
{
	struct reading *reading = site->arg;

	reading->bad[schema_index(site->key)] = true;
	complain(reading, line_of(site->setting), site->key->path, "%s", sentence);
}

static void
check_complains(const struct check_site *site, const config_setting_t *setting, const char *path,
		const char *sentence)
{
	complain(site->arg, line_of(setting), path, "%s", sentence);
}

static int
read_value(struct reading *reading, const struct schema_key *key, const config_setting_t *setting)
{
	struct value_site site = {
		.key = key,
		.setting = setting,
		.object = reading->object,
		.complain = value_complains,
		.arg = reading,
	};

	return value_read(&site);
}

static int
expected(const struct reading *reading, const config_setting_t *setting, const char *path,
	 enum schema_type type)
{
	return complain(reading, line_of(setting), path, "expected %s, found %s",
			value_type_name(type), value_setting_name(setting));
}

static int
unknown_key(const struct reading *reading, const config_setting_t *setting, const char *path)
{
	char buffer[SCHEMA_PATH_TEXT_MAX];
	const char *nearest = schema_nearest(reading->scope, path, buffer, sizeof(buffer));

	if (nearest)
		return complain(reading, line_of(setting), "",
				"unknown key \"%s\" (did you mean \"%s\"?)", path, nearest);
	return complain(reading, line_of(setting), "", "unknown key \"%s\"", path);
}

/* Reads what stands at `path`, a key or a group of keys. */
static int
parse_setting(struct reading *reading, const config_setting_t *setting, const char *path)
{
	const struct schema_key *key = schema_find(reading->scope, path);
	bool is_group = schema_is_group(reading->scope, path);

	if (!key && !is_group)
		return unknown_key(reading, setting, path);
	if (!key && !config_setting_is_group(setting))
		return expected(reading, setting, path, TYPE_UPSTREAM);
	if (!key)
		return parse_group(reading, setting, path);
	if (key->own && reading->is_defaults)
		return complain(reading, line_of(setting), path, "each upstream has its own");
	if (key->type == TYPE_SWITCH && config_setting_is_group(setting)) {
		*(bool *)schema_at(key, reading->object) = true;
		return parse_group(reading, setting, path);
	}
	/* These four have their own place and time. */
	if (key->type == TYPE_NAME || key->type == TYPE_TARGETS || key->type == TYPE_UPSTREAM ||
	    key->type == TYPE_UPSTREAMS)
		return 0;
	return read_value(reading, key, setting);
}

/* Whether a drop-in may say this at its top level. */
static bool
is_for_drop_ins(const char *name)
{
	const struct schema_key *key = schema_find(SCOPE_DAEMON, name);

	return (key && (key->type == TYPE_UPSTREAM || key->type == TYPE_UPSTREAMS)) ||
	       (!key && !schema_is_group(SCOPE_DAEMON, name));
}

static int
parse_group(struct reading *reading, const config_setting_t *group, const char *prefix)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned int)i);
		const char *name = config_setting_name(setting);
		char path[LIBCONFIG_NAMES_MAX];
		int r;

		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", name);
		if (reading->scope == SCOPE_DAEMON && !reading->parse->is_main && !is_for_drop_ins(path))
			r = complain(reading, line_of(setting), path,
				     "stands in the main file only, not in a drop-in");
		else
			r = parse_setting(reading, setting, path);
		if (r < 0 && r != -EINVAL)
			return r;
	}
	return 0;
}

/* Give `upstream` the schema's defaults.  Stages without a key have no deadline of their own. */
static int
reset_policy(struct upstream *upstream)
{
	for (size_t i = 0; i < STAGE_COUNT; i++)
		upstream->policy.timeout[i] = USEC_INFINITY;
	schema_for_each(key, SCOPE_UPSTREAM)
	{
		int r = value_reset(key, upstream);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Give `upstream` what `defaults` says. */
static int
copy_policy(struct upstream *upstream, const struct upstream *defaults)
{
	upstream->policy = defaults->policy;
	schema_for_each(key, SCOPE_UPSTREAM)
	{
		int r = value_own(key, upstream);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Without TLS its keys mean nothing: they shall not make two equal upstreams differ. */
static int
forget_tls(struct upstream *upstream)
{
	schema_for_each(key, SCOPE_UPSTREAM)
	{
		int r = strncmp(key->path, "tls.", 4) == 0 ? value_reset(key, upstream) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * STARTTLS leads to TLS, and so implies it; "tls = false" beside it contradicts it.  Where only the defaults speak of STARTTLS,
 * an upstream of its own word is without both.
 */
static void
imply_tls(struct reading *reading, const config_setting_t *group)
{
	const struct schema_key *tls = schema_find(SCOPE_UPSTREAM, "tls");
	const config_setting_t *own = check_setting(group, "starttls");
	const config_setting_t *defaults = reading->parse->defaults_group;
	struct upstream *upstream = reading->object;

	if (upstream->policy.starttls == STARTTLS_NONE || upstream->policy.tls.enabled ||
	    reading->bad[schema_index(tls)])
		return;
	if (!own && check_setting(group, "tls"))
		upstream->policy.starttls = STARTTLS_NONE;
	else if (!check_setting(group, "tls") && !check_setting(defaults, "tls"))
		upstream->policy.tls.enabled = true;
	else
		complain(reading, line_of(own ? own : check_setting(defaults, "starttls")),
			 "starttls", "leads to TLS, but tls = false");
}

/* How many addresses to make room for; 0 where the list will be refused. */
static unsigned int
count_targets(const config_setting_t *address)
{
	int count = 1;

	if (address && !config_setting_is_scalar(address))
		count = config_setting_is_group(address) ? 0 : config_setting_length(address);
	return address && count <= TARGETS_MAX ? (unsigned int)count : 0;
}

/* Reads the keys of an upstream's group into reading->object. */
static int
read_upstream(struct reading *reading, const config_setting_t *group)
{
	const struct schema_key *address_key = schema_find(SCOPE_UPSTREAM, "address");
	const config_setting_t *address = config_setting_get_member(group, "address");
	struct parse *parse = reading->parse;
	struct upstream *upstream = reading->object;
	int r = parse->defaults ? copy_policy(upstream, parse->defaults) : reset_policy(upstream);

	if (r < 0)
		return r;
	r = parse_group(reading, group, "");
	if (r < 0)
		return r;
	/* After the others: which literals are allowed depends on the family. */
	if (address) {
		r = read_value(reading, address_key, address);
	} else {
		reading->bad[schema_index(address_key)] = true;
		complain(reading, line_of(group), "", "an address is missing");
	}
	if (r < 0 && r != -EINVAL)
		return r;
	imply_tls(reading, group);
	return upstream->policy.tls.enabled ? 0 : forget_tls(upstream);
}

/* Whether equal TLS settings have been found good before. */
static bool
is_judged(const struct parsed *parsed, const struct upstream *upstream)
{
	for (unsigned int i = 0; i < parsed->judged_count; i++) {
		bool equal = true;

		schema_for_each(key, SCOPE_UPSTREAM)
			equal = equal &&
				(!key->judged || value_equal(key, upstream, parsed->judged[i]));
		if (equal)
			return true;
	}
	return false;
}

/* Holds an upstream's values against each other. */
static void
check_values(struct reading *reading, const config_setting_t *group)
{
	struct parsed *parsed = reading->parse->parsed;
	struct upstream *upstream = reading->object;
	struct check_site site = {
		.upstream = upstream,
		.own = group,
		.defaults = reading->parse->defaults_group,
		.bad = reading->bad,
		.complain = check_complains,
		.arg = reading,
	};

	check_upstream(&site);
	if (!parsed->check || !upstream->policy.tls.enabled || is_judged(parsed, upstream))
		return;
	if (check_judged(&site, parsed->check) && parsed->judged_count < JUDGED_MAX)
		parsed->judged[parsed->judged_count++] = upstream;
}

/* The name by which upstreams of this line refer to their file, which outlives the source. */
static int
keep_file(struct parsed *parsed, const char *file, const char **ret_file)
{
	char **files;
	char *copy;

	if (parsed->file_count > 0 && strcmp(parsed->files[parsed->file_count - 1], file) == 0) {
		*ret_file = parsed->files[parsed->file_count - 1];
		return 0;
	}
	if (parsed->file_count == parsed->file_room) {
		size_t room = parsed->file_room ? parsed->file_room * 2 : 8;

		files = reallocarray(parsed->files, room, sizeof(*files));
		if (!files)
			return -ENOMEM;
		parsed->files = files;
		parsed->file_room = room;
	}
	copy = strdup(file);
	if (!copy)
		return -ENOMEM;
	parsed->files[parsed->file_count++] = copy;
	*ret_file = copy;
	return 0;
}

/* Takes over a reference to `upstream`, read from `line` of the source. */
static int
keep_upstream(struct parse *parse, struct upstream *upstream, unsigned int line)
{
	struct parsed *parsed = parse->parsed;
	struct parsed_upstream entry = { .upstream = upstream };
	const char *file = source_place(parse->source, line, &entry.line);

	if (keep_file(parsed, file, &entry.file) < 0)
		return -ENOMEM;
	if (parsed->upstream_count == parsed->upstream_room) {
		size_t room = parsed->upstream_room ? parsed->upstream_room * 2 : 64;
		struct parsed_upstream *upstreams = reallocarray(parsed->upstreams, room,
								 sizeof(*upstreams));

		if (!upstreams)
			return -ENOMEM;
		parsed->upstreams = upstreams;
		parsed->upstream_room = room;
	}
	parsed->upstreams[parsed->upstream_count++] = entry;
	return 0;
}

/* Reads the name, and from then on problems carry it; a bad one leaves "". */
static void
read_name(struct reading *reading, const config_setting_t *group, char name[UPSTREAM_NAME_MAX])
{
	struct upstream named = { 0 };
	const config_setting_t *setting = config_setting_get_member(group, "name");

	name[0] = '\0';
	if (!setting) {
		complain(reading, line_of(group), "", "a name is missing");
		return;
	}
	reading->object = &named;
	if (read_value(reading, schema_find(SCOPE_UPSTREAM, "name"), setting) < 0)
		return;
	text_copy(name, UPSTREAM_NAME_MAX, named.name);
	snprintf(reading->where, sizeof(reading->where), "upstream \"%s\": ", name);
}

static int
parse_upstream(struct parse *parse, const config_setting_t *group, unsigned int number)
{
	struct reading reading = { .parse = parse, .scope = SCOPE_UPSTREAM };
	_cleanup_(upstream_unrefp) struct upstream *upstream = NULL;
	char name[UPSTREAM_NAME_MAX];
	int r;

	snprintf(reading.where, sizeof(reading.where), "upstream %u: ", number);
	if (!config_setting_is_group(group)) {
		expected(&reading, group, "", TYPE_UPSTREAM);
		return 0;
	}
	memcpy(reading.bad, parse->defaults_bad, sizeof(reading.bad));
	read_name(&reading, group, name);
	upstream = upstream_new(name, count_targets(config_setting_get_member(group, "address")));
	if (!upstream)
		return -ENOMEM;
	reading.object = upstream;
	r = read_upstream(&reading, group);
	if (r < 0)
		return r;
	check_values(&reading, group);
	r = keep_upstream(parse, upstream, line_of(group));
	if (r == 0)
		steal(upstream);
	return r;
}

static int
parse_upstreams(struct parse *parse, const config_setting_t *list)
{
	struct reading reading = { .parse = parse, .scope = SCOPE_DAEMON };
	int count = config_setting_length(list);

	if (!config_setting_is_list(list)) {
		/* "[ ]" is an array to libconfig, but there is nothing else it could mean. */
		if (!config_setting_is_array(list) || count > 0)
			expected(&reading, list, "upstreams", TYPE_UPSTREAMS);
		return 0;
	}
	if ((size_t)count + parse->parsed->upstream_count > UPSTREAMS_MAX) {
		complain(&reading, line_of(list), "upstreams", "%zu are too many (at most %d)",
			 (size_t)count + parse->parsed->upstream_count, UPSTREAMS_MAX);
		return 0;
	}
	for (int i = 0; i < count; i++) {
		int r = parse_upstream(parse, config_setting_get_elem(list, (unsigned int)i),
				       (unsigned int)i + 1);

		if (r < 0)
			return r;
	}
	return 0;
}

static int
parse_defaults(struct parse *parse, const config_setting_t *group)
{
	struct reading reading = {
		.parse = parse, .scope = SCOPE_UPSTREAM, .is_defaults = true, .where = "defaults: "
	};
	int r;

	if (!config_setting_is_group(group)) {
		reading.where[0] = '\0';
		expected(&reading, group, "defaults", TYPE_UPSTREAM);
		return 0;
	}
	parse->defaults = upstream_new("defaults", 0);
	if (!parse->defaults)
		return -ENOMEM;
	parse->defaults_group = group;
	reading.object = parse->defaults;
	r = reset_policy(parse->defaults);
	if (r < 0)
		return r;
	r = parse_group(&reading, group, "");
	memcpy(parse->defaults_bad, reading.bad, sizeof(parse->defaults_bad));
	return r;
}

/* What libconfig could not read, in words that help. */
static void
syntax_problem(const struct parse *parse, const config_t *config)
{
	struct reading reading = { .parse = (struct parse *)parse };
	unsigned int line = config_error_line(config) > 0 ? (unsigned int)config_error_line(config) : 1;
	const char *what = config_error_text(config) ? config_error_text(config) : "syntax error";
	char excerpt[256];
	struct text text = TEXT_INIT(excerpt);

	if (strstr(what, "duplicate"))
		what = "this key stands twice in one group";
	else if (strstr(what, "mismatched"))
		what = "the values of an array [ ] are of different types (a list ( ) takes any)";
	source_excerpt(parse->source, line, &text);
	if (text.length > 0)
		complain(&reading, line, "", "%s, at or before: %s", what, excerpt);
	else
		complain(&reading, parse->source->lines - 1, "",
			 "%s at the end: is a bracket not closed?", what);
}

static int
parse_root(struct parse *parse, const config_setting_t *root)
{
	struct reading daemon = { .parse = parse, .scope = SCOPE_DAEMON, .object = parse->parsed->config };
	const config_setting_t *defaults = config_setting_get_member(root, "defaults");
	const config_setting_t *upstreams = config_setting_get_member(root, "upstreams");
	int r = parse_group(&daemon, root, "");

	if (r == 0 && defaults)
		r = parse_defaults(parse, defaults);
	if (r == 0 && upstreams)
		r = parse_upstreams(parse, upstreams);
	return r;
}

int
parse_source(struct parsed *parsed, const struct source *source, bool is_main)
{
	struct parse parse = { .parsed = parsed, .source = source, .is_main = is_main };
	config_t config;
	int r = 0;

	config_init(&config);
	if (config_read_string(&config, source->text) == CONFIG_TRUE)
		r = parse_root(&parse, config_root_setting(&config));
	else
		syntax_problem(&parse, &config);
	config_destroy(&config);
	upstream_unref(parse.defaults);
	return r;
}

void
parsed_done(struct parsed *parsed)
{
	for (size_t i = 0; i < parsed->upstream_count; i++)
		upstream_unref(parsed->upstreams[i].upstream);
	free(parsed->upstreams);
	for (size_t i = 0; i < parsed->file_count; i++)
		free(parsed->files[i]);
	free(parsed->files);
	*parsed = (struct parsed){ 0 };
}
