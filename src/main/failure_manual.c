/*
 * Prints what the build derives from FAILURE_LIST: `failure_manual mdoc` the part of the manual pages that tells of
 * each code, `failure_manual catalog` the journal's catalog.  Not installed.
 */
#include "base/cleanup.h"
#include "core/failure.h"
#include "main/message_id.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HINT_MAX      1024 /* bytes; what is beyond is cut */
#define MDOC_LINE_MAX 64   /* columns, escapes not counted; mandoc(1) complains from 80 on */

static const struct {
	const char *hex, *subject;
} messages[] = {
#define M(id, hex, subject) [MESSAGE_ID_##id] = { hex, subject },
	MESSAGE_ID_LIST(M)
#undef M
};

static const char *const class_says[CLASS_COUNT] = {
	[CLASS_ADDRESS] = "It is not known whom to connect to.",
	[CLASS_CONNECTION] = "The transport connection was not made, or has ended.",
	[CLASS_TIMEOUT] = "Nobody answered in time.",
	[CLASS_SOCKET] = "This host's sockets: no peer is involved.",
	[CLASS_TLS] = "Encryption, certificates and who is believed to be whom.",
	[CLASS_PROTOCOL] = "What is spoken before and after TLS.",
	[CLASS_LOCAL] = "This host's files, and holdfast itself.",
};

static const char *const blame_says[] = {
	[BLAME_ADDRESS] = "the next address is tried at once",
	[BLAME_UPSTREAM] = "holdfast backs off from the upstream",
	[BLAME_LOCAL] = "this host is at fault, not the upstream",
};

/* The hint as it reads when nothing is known about the case. */
static const char *
hint(enum failure_code code, char *buffer, size_t size)
{
	struct failure failure;
	struct text text;

	text_init(&text, buffer, size);
	failure_init(&failure, code, STAGE_IDLE);
	failure_hint(&failure, &text);
	return buffer;
}

/* One word of mdoc text: `quoted` words get quotation marks, and a backslash may not stand as it is. */
static void
print_word(const char *word, size_t length)
{
	bool opened = false;

	for (size_t i = 0; i < length; i++) {
		if (word[i] == '`')
			printf(opened ? "\\(cq" : "\\(oq");
		else if (word[i] == '\\')
			printf("\\e");
		else
			putchar(word[i]);
		opened = opened != (word[i] == '`');
	}
}

/* A paragraph of mdoc text: each sentence begins a line, no line is too long, and none begins like a macro. */
static void
print_mdoc(const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		bool ends = strchr(".?!", text[length - 1]) != NULL;

		if (column > 0 && column + 1 + length > MDOC_LINE_MAX) {
			putchar('\n');
			column = 0;
		}
		if (column > 0)
			putchar(' ');
		else if (text[0] == '.' || text[0] == '\'')
			printf("\\&");
		print_word(text, length);
		column = ends ? MDOC_LINE_MAX : column + 1 + length;
		text += length + strspn(text + length, " ");
	}
	putchar('\n');
}

static void
mdoc_code(enum failure_code code)
{
	char buffer[HINT_MAX];

	printf(".It Sy %s\n", failure_name(code));
	printf("%c%s\n", failure_summary(code)[0] & ~0x20, failure_summary(code) + 1);
	printf(".Pq %s ; %s .\n", failure_life_name(failure_life(code)),
	       blame_says[failure_blame(code)]);
	print_mdoc(hint(code, buffer, sizeof(buffer)));
}

static void
mdoc_class(enum failure_class group)
{
	printf(".Ss Class %s\n%s\n", failure_class_name(group), class_says[group]);
	printf(".Bl -tag -width Ds\n");
	for (int code = FAILURE_NONE + 1; code < FAILURE_COUNT; code++)
		if (failure_class((enum failure_code)code) == group)
			mdoc_code((enum failure_code)code);
	printf(".El\n");
}

static void
print_manual(void)
{
	for (int group = 0; group < CLASS_COUNT; group++)
		mdoc_class((enum failure_class)group);
}

static void
catalog_head(enum message_id id)
{
	printf("-- %s\nSubject: %s\nDefined-By: holdfast\nDocumentation: man:holdfastd(8)\n\n",
	       messages[id].hex, messages[id].subject);
}

/* The journal fills in what is between the at signs; a hint stands in every failure's entry. */
static void
catalog_class(enum failure_class group)
{
	catalog_head((enum message_id)group);
	printf("Upstream @HOLDFAST_UPSTREAM@, link @HOLDFAST_LINK@: @HOLDFAST_MSG@.\n"
	       "\n"
	       "@HOLDFAST_HINT@\n"
	       "\n"
	       "The code is @HOLDFAST_CODE@, seen in the stage @HOLDFAST_STAGE@. %s\n"
	       "'holdfastctl show @HOLDFAST_UPSTREAM@' tells how things are now.\n\n",
	       class_says[group]);
}

static void
print_catalog(void)
{
	printf("# Messages of holdfastd, made from its list of failures; see journalctl -x.\n\n");
	for (int group = 0; group < CLASS_COUNT; group++)
		catalog_class((enum failure_class)group);
	for (size_t id = CLASS_COUNT; id < COUNT_OF(messages); id++) {
		catalog_head((enum message_id)id);
		printf("@HOLDFAST_MSG@\n\n");
	}
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "mdoc") == 0)
		print_manual();
	else if (argc == 2 && strcmp(argv[1], "catalog") == 0)
		print_catalog();
	else
		return EXIT_FAILURE;
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
