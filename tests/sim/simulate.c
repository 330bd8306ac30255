/*
 * simulate: worlds full of trouble for links to live in.
 *
 * simulate [--worlds N] [--first-seed N]	live through so many worlds (10000), and say so in TAP
 * simulate --seed N [--verbose]		live through one, and show every step
 */
#include "world.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct world world;

/* A failed must() in the core aborts: say which seed led there. */
static void
on_abort(int number)
{
	char line[128];
	int length = snprintf(line, sizeof(line), "Bail out! replay: simulate --seed %llu --verbose\n",
			      (unsigned long long)world.seed);

	(void)number;
	if (write(STDOUT_FILENO, line, (size_t)length) < 0)
		_exit(2);
}

static int
live_one(uint64_t seed)
{
	uint64_t digest = world_run(&world, seed);

	printf("seed %llu: %llu steps, %llu failures, %llu closes, digest %016llx\n",
	       (unsigned long long)seed, (unsigned long long)world.steps,
	       (unsigned long long)world.reports, (unsigned long long)world.closes,
	       (unsigned long long)digest);
	return 0;
}

static int
live_many(uint64_t first, uint64_t count)
{
	uint64_t steps = 0, reports = 0, closes = 0, stages[STAGE_COUNT] = { 0 };
	uint64_t broken = 0, probings = 0;
	uint64_t digest = world_run(&world, first);

	printf("1..3\n");
	printf("%sok 1 - one seed makes one world\n", world_run(&world, first) == digest ? "" : "not ");
	for (uint64_t seed = first; seed < first + count; seed++) {
		world_run(&world, seed);
		steps += world.steps;
		reports += world.reports;
		closes += world.closes;
		broken += world.broken;
		probings += world.probings;
		for (enum stage i = 0; i < STAGE_COUNT; i++)
			stages[i] += world.stages[i];
	}
	printf("# %llu worlds, %llu steps, %llu failures, %llu closes\n", (unsigned long long)count,
	       (unsigned long long)steps, (unsigned long long)reports, (unsigned long long)closes);
	printf("# %llu probes that only warned, %llu broken families\n",
	       (unsigned long long)probings, (unsigned long long)broken);
	for (enum stage i = 0; i < STAGE_COUNT; i++) {
		if (stages[i] > 0)
			printf("# %s entered %llu times\n", stage_name(i),
			       (unsigned long long)stages[i]);
	}
	printf("ok 2 - no invariant is hurt in any world\n");
	printf("%sok 3 - the worlds are lively\n",
	       stages[STAGE_PROXY] > count && stages[STAGE_STARTTLS] > count &&
			       stages[STAGE_SETTLE] > count && stages[STAGE_PROBE] > count &&
			       stages[STAGE_READY] > count && stages[STAGE_PAUSED] > count &&
			       reports > count && closes > count && probings > count && broken > count ?
		       "" :
		       "not ");
	return 0;
}

static int
usage(void)
{
	fprintf(stderr, "usage: simulate [--worlds N] [--first-seed N] | --seed N [--verbose]\n");
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "worlds", required_argument, NULL, 'w' },
		{ "first-seed", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	uint64_t worlds = 10000, first = 1, seed = 0;
	bool one = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'w': worlds = strtoull(optarg, NULL, 10); break;
		case 'f': first = strtoull(optarg, NULL, 10); break;
		case 's': seed = strtoull(optarg, NULL, 10), one = true; break;
		case 'v': world.verbose = true; break;
		default: return usage();
		}
	}
	signal(SIGABRT, on_abort);
	return one ? live_one(seed) : live_many(first, worlds);
}
