/*
 * Prints what holdfast.conf(5) derives from the schema: `schema_manual daemon` the part about the file's own keys,
 * `schema_manual upstream` the part about an upstream's.  Fails where a group has no words of introduction, so that
 * no key can be missing from the manual.  Not installed.
 */
#include "base/cleanup.h"
#include "config/duration.h"
#include "config/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 78 /* of the page's source */

/* The parts of the manual, in order; keys without a dot are in the part called "". */
static const struct part {
	enum schema_scope scope;
	const char *group;
	const char *heading;
	const char *introduction;
} parts[] = {
	{ SCOPE_DAEMON, "", "The file itself", NULL },
	{ SCOPE_DAEMON, "control", "The group control",
	  "The control socket, as in\n"
	  ".Ql control = { mode = \\(dq0660\\(dq; };\\& ." },
	{ SCOPE_DAEMON, "log", "The group log", "What is told, and to whom." },
	{ SCOPE_UPSTREAM, "", "The upstream itself", NULL },
	{ SCOPE_UPSTREAM, "timeouts", "The group timeouts",
	  "How long each stage of an attempt may take, as in\n"
	  ".Ql timeouts = { connect = \\(dq3s\\(dq; handshake = \\(dq5s\\(dq; };\\& .\n"
	  "Each is for the whole stage:\n"
	  "a peer that sends a byte now and then gains nothing." },
	{ SCOPE_UPSTREAM, "retry", "The group retry",
	  "The delay between a failed attempt and the next one.\n"
	  "It grows with each failure in a row,\n"
	  "and is longer from the start for failures that will not pass by themselves." },
	{ SCOPE_UPSTREAM, "keepalive", "The group keepalive",
	  "How a peer that vanished without a word is found out." },
	{ SCOPE_UPSTREAM, "probe", "The group probe",
	  "What the application behind a connection is asked, after the handshake\n"
	  "and from time to time while the connection is ready; see\n"
	  ".Sx PROBES .\n"
	  "A key that is not for the kind of probe is refused where an upstream gives it,\n"
	  "and forgotten where it comes from\n"
	  ".Ic defaults .\n"
	  "Except for probe.kind,\n"
	  "a change is in force with the next probe." },
	{ SCOPE_UPSTREAM, "tls", "The group tls",
	  "A change of any of these keys but tls.expiry_warning needs new connections.\n"
	  "Certificates are verified, and against the system's trust store,\n"
	  "unless a key says otherwise.\n"
	  "Files are read again when they change;\n"
	  "a broken one leaves the older one in use.\n"
	  "A key that can have no effect is refused where an upstream gives it,\n"
	  "and forgotten where it comes from\n"
	  ".Ic defaults ." },
};

static const char *
type_word(const struct schema_key *key)
{
	static const char *const words[TYPE_COUNT] = {
		[TYPE_BOOL] = "true | false",
		[TYPE_INTEGER] = "integer",
		[TYPE_NUMBER] = "number",
		[TYPE_DURATION] = "duration",
		[TYPE_WORD] = "string",
		[TYPE_MODE] = "octal string",
		[TYPE_TEXT] = "string",
		[TYPE_PATH] = "path",
		[TYPE_LABEL] = "string",
		[TYPE_NAME] = "string",
		[TYPE_TARGETS] = "string | list of strings",
		[TYPE_IP] = "string",
		[TYPE_INTERFACE] = "string",
		[TYPE_SWITCH] = "true | false | group",
		[TYPE_PINS] = "string | list of strings",
		[TYPE_PROTOCOLS] = "string | list of strings",
		[TYPE_PHRASE] = "string",
		[TYPE_STATUS] = "string | integer",
		[TYPE_PROXY] = "string",
		[TYPE_STEP_SEND] = "string",
		[TYPE_STEP_EXPECT] = "string",
		[TYPE_STEP_REGEX] = "string",
		[TYPE_STEPS] = "list of groups",
		[TYPE_UPSTREAM] = "group",
		[TYPE_UPSTREAMS] = "list of groups",
	};

	return words[key->type];
}

/* Text of the schema: each sentence begins a line, as mdoc has it, and no line is long. */
static void
print_sentences(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t blanks = strspn(text, " "), length = strcspn(text + blanks, " ");

		if (blanks > 1 || column + blanks + length > LINE_MAX_BYTES)
			printf("\n"), column = 0;
		else if (blanks)
			printf(" "), column++;
		printf("%.*s", (int)length, text + blanks);
		column += length;
		text += blanks + length;
	}
	putchar('\n');
}

static void
print_bounds(const struct schema_key *key)
{
	char least[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];

	switch (key->type) {
	case TYPE_INTEGER:
	case TYPE_NUMBER: printf("From %" PRId64 " to %" PRId64, key->min, key->max); break;
	case TYPE_DURATION:
		printf("From %s to %s%s", duration_format((usec_t)key->min, least, sizeof(least)),
		       duration_format((usec_t)key->max, most, sizeof(most)),
		       key->none ? ", or\n.Dq none" : "");
		break;
	case TYPE_TARGETS:
	case TYPE_PINS:
	case TYPE_PROTOCOLS:
	case TYPE_STEPS: printf("At most %" PRId64, key->max); break;
	default: return;
	}
	printf("%s", key->type == TYPE_DURATION && key->none ? " .\n" : ".\n");
}

static void
print_words(const struct schema_key *key)
{
	printf("One of");
	for (const struct schema_word *word = key->words; word->word; word++)
		printf("\n.Dq %s%s", word->word, word[1].word ? " ," : " .\n");
}

/* The default as the file would say it. */
static void
print_default(const struct schema_key *key)
{
	char duration[DURATION_TEXT_MAX];

	if (key->unset) {
		printf("%s%s.\n", key->own ? "" : "Default: ", key->unset);
		return;
	}
	switch (key->type) {
	case TYPE_BOOL:
	case TYPE_SWITCH: printf("Default: %s.\n", key->initial ? "true" : "false"); break;
	case TYPE_INTEGER: printf("Default: %" PRId64 ".\n", key->initial); break;
	case TYPE_NUMBER: printf("Default: %.1f.\n", key->initial_number); break;
	case TYPE_MODE: printf("Default:\n.Dq %04o .\n", (unsigned int)key->initial); break;
	case TYPE_DURATION:
		printf("Default:\n.Dq %s .\n",
		       key->none && key->initial == 0 ?
			       "none" :
			       duration_format((usec_t)key->initial, duration, sizeof(duration)));
		break;
	case TYPE_WORD:
		for (const struct schema_word *word = key->words; word->word; word++)
			if (word->value == key->initial)
				printf("Default:\n.Dq %s .\n", word->word);
		break;
	default: printf("Default:\n.Dq %s .\n", key->initial_text); break;
	}
}

static void
print_key(const struct schema_key *key)
{
	printf(".It Ic %s No = Ar %s\n", key->path, type_word(key));
	print_sentences(key->says);
	if (key->words)
		print_words(key);
	print_bounds(key);
	print_default(key);
	if (key->apply == APPLY_RECONNECT && strncmp(key->path, "tls.", 4) != 0)
		printf("A change needs new connections.\n");
	else if (key->apply == APPLY_RESTART)
		printf("A change needs a restart.\n");
}

/* Whether `key` stands in the group, or in none where that is "". */
static bool
is_in_group(const struct schema_key *key, const char *group)
{
	const char *dot = strchr(key->path, '.');

	if (!dot)
		return !*group;
	return strlen(group) == (size_t)(dot - key->path) &&
	       strncmp(key->path, group, strlen(group)) == 0;
}

/* Returns how many keys it printed. */
static size_t
print_part(const struct part *part)
{
	size_t count = 0;

	printf(".Ss %s\n", part->heading);
	if (part->introduction)
		printf("%s\n", part->introduction);
	printf(".Bl -tag -width Ds\n");
	schema_for_each(key, part->scope)
	{
		if (!is_in_group(key, part->group))
			continue;
		print_key(key);
		count++;
	}
	printf(".El\n");
	return count;
}

static bool
print_scope(enum schema_scope scope)
{
	size_t count = 0, printed = 0;

	schema_for_each(key, scope) count++;
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (parts[i].scope == scope)
			printed += print_part(&parts[i]);
	return printed == count;
}

int
main(int argc, char **argv)
{
	bool complete = false;

	if (argc == 2 && strcmp(argv[1], "daemon") == 0)
		complete = print_scope(SCOPE_DAEMON);
	else if (argc == 2 && strcmp(argv[1], "upstream") == 0)
		complete = print_scope(SCOPE_UPSTREAM);
	return complete && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
