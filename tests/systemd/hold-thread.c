/*
 * Stop one thread of a process and keep it stopped, while its others run: what a worker that hangs looks
 * like from outside.  Usage: hold-thread TID SECONDS.  (SIGSTOP would stop the whole process.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	pid_t thread;

	if (argc != 3)
		return 2;
	thread = (pid_t)atoi(argv[1]);
	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) < 0) {
		perror("ptrace");
		return 1;
	}
	waitpid(thread, NULL, __WALL);
	puts("held");
	fflush(stdout);
	sleep((unsigned int)atoi(argv[2]));
	return 0;
}
