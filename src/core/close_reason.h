/*
 * Why a connection was closed where it is no failure: every closed connection has a failure or one of these.
 */
#pragma once

#define CLOSE_REASON_LIST(R) \
	R(LIFETIME, "lifetime", "the connection reached its lifetime") \
	R(IDLE_RECYCLED, "idle-recycled", "renewed before the server's idle limit") \
	R(RELOAD, "reload", "the configuration changed") \
	R(CERTIFICATE_ROTATED, "certificate-rotated", "a certificate, key, CA or CRL changed or ended") \
	R(ADDRESS_GONE, "address-gone", "the address is no longer in the DNS") \
	R(BORROWER_DONE, "borrower-done", "the borrower ended it") \
	R(ADMIN, "admin", "an administrator asked for it") \
	R(SURPLUS, "surplus", "more connections than wanted") \
	R(SHUTDOWN, "shutdown", "holdfast ends")

enum close_reason {
#define R(id, name, summary) CLOSE_##id,
	CLOSE_REASON_LIST(R)
#undef R
		CLOSE_REASON_COUNT
};

/*
 * close_reason_name(reason), close_reason_summary(reason):
 * The wire name ("idle-recycled") and a clause that says it to a person.  Static strings.  Any thread.
 */
const char *close_reason_name(enum close_reason reason);
const char *close_reason_summary(enum close_reason reason);
