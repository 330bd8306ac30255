/* holdfastd: the command line. */
#include "main/checkup.h"
#include "main/daemon.h"
#include "sys/fd.h"
#include "sys/tls.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PROBLEM_LINE_MAX 2048 /* bytes of one problem on standard error; what is beyond is cut */

enum task {
	TASK_RUN,
	TASK_CHECK,
	TASK_DUMP,
	TASK_DONE, /* all was said while the options were read */
};

struct options {
	enum task task;
	const char *file;
};

static void
print_help(void)
{
	printf("usage: holdfastd [-c FILE] [--check] [--dump-config] [--version] [--help]\n"
	       "\n"
	       "Keeps this host's connections to its upstreams up, and says exactly why one is not.\n"
	       "It stays in the foreground; holdfastctl(1) shows what it knows.\n"
	       "\n"
	       "  -c, --config FILE  read FILE instead of %s\n"
	       "      --check        only check the configuration and the files it names; exit 78 where\n"
	       "                     anything is wrong\n"
	       "      --dump-config  only print the configuration with all defaults filled in\n"
	       "      --version      print the version\n"
	       "      --help         print this\n"
	       "\n"
	       "SIGHUP reads the configuration again, SIGTERM ends in order, a second one at once.\n",
	       DEFAULT_CONFIG_FILE);
}

/* Returns 0, or the exit status of a wrong use. */
static int
read_options(int argc, char **argv, struct options *ret_options)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 'C' },
		{ "dump-config", no_argument, NULL, 'D' },  { "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },	    { 0 },
	};
	struct options options = { .task = TASK_RUN, .file = DEFAULT_CONFIG_FILE };
	int option;

	while ((option = getopt_long(argc, argv, "c:", known, NULL)) >= 0) {
		switch (option) {
		case 'c': options.file = optarg; break;
		case 'C': options.task = TASK_CHECK; break;
		case 'D': options.task = TASK_DUMP; break;
		case 'V':
			printf("holdfastd %s\n", PACKAGE_VERSION);
			*ret_options = (struct options){ .task = TASK_DONE };
			return 0;
		case 'h':
			print_help();
			*ret_options = (struct options){ .task = TASK_DONE };
			return 0;
		default: return EX_USAGE; /* getopt has said what is wrong */
		}
	}
	if (optind < argc) {
		fprintf(stderr, "holdfastd: \"%s\" is no option, and nothing else is expected\n",
			argv[optind]);
		return EX_USAGE;
	}
	*ret_options = options;
	return 0;
}

static void
print_problems(const struct problems *problems)
{
	char line[PROBLEM_LINE_MAX];

	for (size_t i = 0; i < problems->count; i++)
		fprintf(stderr, "%s\n", problems_format(&problems->at[i], line, sizeof(line)));
	if (problems->left_out > 0)
		fprintf(stderr, "... and %zu more\n", problems->left_out);
}

/* Returns 0, or the exit status after having said what is wrong. */
static int
load(const char *file, struct config **ret_config)
{
	struct problems problems = { 0 };
	int r = config_load(file, tls_check_policy, &problems, ret_config);

	print_problems(&problems);
	problems_done(&problems);
	if (r >= 0)
		return 0;
	if (r != -EINVAL)
		fprintf(stderr, "holdfastd: cannot load %s: %s\n", file, strerrordesc_np(-r));
	return r == -EINVAL ? EX_CONFIG : EX_OSERR;
}

static int
check(const struct config *config)
{
	int found = checkup_files(config, stderr);

	if (found < 0) {
		fprintf(stderr, "holdfastd: %s\n", strerrordesc_np(-found));
		return EX_OSERR;
	}
	if (found > 0)
		return EX_CONFIG;
	printf("%s: no problem found, %zu upstream%s\n", config->file, config->upstream_count,
	       config->upstream_count == 1 ? "" : "s");
	return EXIT_SUCCESS;
}

static int
dump(const struct config *config)
{
	int r = config_dump(config, stdout);

	if (r >= 0 && fflush(stdout) != 0)
		r = -errno;
	if (r >= 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "holdfastd: cannot print the configuration: %s\n", strerrordesc_np(-r));
	return EX_IOERR;
}

static int
perform(enum task task, struct config *config)
{
	switch (task) {
	case TASK_CHECK: return check(config);
	case TASK_DUMP: return dump(config);
	default: return daemon_run(config);
	}
}

int
main(int argc, char **argv)
{
	_cleanup_(config_unrefp) struct config *config = NULL;
	struct options options;
	int status;

	fd_fill_standard();
	status = read_options(argc, argv, &options);
	if (status != 0 || options.task == TASK_DONE)
		return status;
	status = load(options.file, &config);
	return status != 0 ? status : perform(options.task, config);
}
