#include "sys/secret.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "sys/fd.h"
#include "sys/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int
fail(struct failure *failure, int error, const char *path, const char *why)
{
	char buffer[FAILURE_DETAILS_MAX / 2];
	struct text text = TEXT_INIT(buffer);

	failure->code = error == ENOMEM ? FAILURE_LOCAL_NO_MEMORY : FAILURE_LOCAL_KEY_LOAD;
	text_add_escaped(&text, path, strlen(path), NULL);
	failure_add_detail(failure, "file", buffer);
	failure_add_detail(failure, "why", why ? why : strerror(error));
	if (!why)
		failure_set_error(failure, error, strerrorname_np(error));
	return -error;
}

/* Reads until `size` octets have come, or the end; straight into the caller's memory, since no copy shall stay behind. */
static ssize_t
read_up_to(int fd, char *buffer, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t n = read(fd, buffer + length, size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

/* The length of the first line of the `length` octets in `buffer`, or -1 and why there is none that could be used. */
static ssize_t
first_line(const char *buffer, size_t length, size_t size, const char **ret_why)
{
	const char *end = memchr(buffer, '\n', length);
	size_t line = end ? (size_t)(end - buffer) : length;

	*ret_why = NULL;
	if (length == 0)
		*ret_why = "it is empty";
	else if (!end && length == size)
		*ret_why = "its first line is too long";
	if (end && line > 0 && buffer[line - 1] == '\r')
		line--;
	if (memchr(buffer, '\0', line))
		*ret_why = "its first line holds a NUL";
	return *ret_why ? -1 : (ssize_t)line;
}

int
secret_load(const char *path, char *buffer, size_t size, struct failure *failure)
{
	const char *why;
	_cleanup_(fd_closep) int fd = regular_open(path, O_RDONLY, &why);
	ssize_t length, line;

	must(size > 0);
	if (fd < 0)
		return fail(failure, -fd, path, why);
	length = read_up_to(fd, buffer, size);
	if (length < 0) {
		explicit_bzero(buffer, size);
		return fail(failure, (int)-length, path, NULL);
	}
	line = first_line(buffer, (size_t)length, size, &why);
	if (line < 0) {
		explicit_bzero(buffer, size);
		return fail(failure, EINVAL, path, why);
	}
	explicit_bzero(buffer + line,
		       size - (size_t)line); /* what follows the line is nobody's business; and the NUL */
	return (int)line;
}
