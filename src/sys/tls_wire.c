/* The socket under OpenSSL: exact errnos, the peer's first octets, no SIGPIPE. */
#include "sys/tls_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool
is_retry(int error)
{
	return error == EAGAIN || error == EINTR;
}

static void
keep_first(struct tls_wire *wire, const void *bytes, size_t length)
{
	size_t room = sizeof(wire->first) - wire->first_length;

	if (length > room)
		length = room;
	memcpy(wire->first + wire->first_length, bytes, length);
	wire->first_length += (unsigned int)length;
}

static int
wire_read(BIO *bio, char *buffer, size_t size, size_t *ret_length)
{
	struct tls_wire *wire = BIO_get_data(bio);
	ssize_t length;

	BIO_clear_retry_flags(bio);
	*ret_length = 0;
	if (wire->allowance == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	length = recv(wire->fd, buffer, size < wire->allowance ? size : wire->allowance, 0);
	if (length > 0) {
		wire->allowance -= (size_t)length;
		keep_first(wire, buffer, (size_t)length);
		wire->received += (uint64_t)length;
		*ret_length = (size_t)length;
		return 1;
	}
	if (length == 0)
		wire->ended = true;
	else if (is_retry(errno))
		BIO_set_retry_read(bio);
	else
		wire->read_error = errno;
	return 0;
}

static int
wire_write(BIO *bio, const char *bytes, size_t length, size_t *ret_length)
{
	struct tls_wire *wire = BIO_get_data(bio);
	ssize_t sent = send(wire->fd, bytes, length, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	*ret_length = 0;
	if (sent >= 0) {
		wire->sent += (uint64_t)sent;
		*ret_length = (size_t)sent;
		return 1;
	}
	if (is_retry(errno)) {
		BIO_set_retry_write(bio);
		return 0;
	}
	if (wire->write_error == 0 || errno != EPIPE) /* EPIPE says less than what came before it */
		wire->write_error = errno;
	if (errno != EPIPE && errno != ECONNRESET && errno != ECONNABORTED)
		return 0;
	*ret_length = length;
	return 1;
}

static long
wire_control(BIO *bio, int command, long number, void *pointer)
{
	struct tls_wire *wire = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH: return 1;
	case BIO_CTRL_EOF: return wire && wire->ended;
	default: return 0;
	}
}

BIO_METHOD *
tls_wire_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "holdfast socket");

	if (!method)
		return NULL;
	BIO_meth_set_read_ex(method, wire_read);
	BIO_meth_set_write_ex(method, wire_write);
	BIO_meth_set_ctrl(method, wire_control);
	return method;
}

int
tls_wire_attach(struct tls_wire *wire, const BIO_METHOD *method, SSL *ssl)
{
	BIO *bio = BIO_new(method);

	if (!bio)
		return -ENOMEM;
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	return 0;
}

void
tls_wire_collect(struct tls_wire *wire)
{
	char more[FAILURE_EVIDENCE_MAX];
	ssize_t length;

	while (wire->first_length < sizeof(wire->first)) {
		length = recv(wire->fd, more, sizeof(wire->first) - wire->first_length, MSG_DONTWAIT);
		if (length == 0)
			wire->ended = true;
		else if (length < 0 && !is_retry(errno))
			wire->read_error = errno;
		if (length <= 0)
			return;
		keep_first(wire, more, (size_t)length);
		wire->received += (uint64_t)length;
	}
}
