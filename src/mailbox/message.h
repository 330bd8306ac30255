/*
 * What main and the workers tell each other.  Each kind is listed, fixed in size, and travels one way.
 * References inside a message belong to it: the receiver takes them over.
 */
#pragma once

#include "core/close_reason.h"
#include "core/failure.h"
#include "core/stage.h"
#include "core/upstream.h"
#include "sys/tls.h"

/* Given by the manager to each upstream; stable over reloads, never reused. */
typedef uint32_t upstream_id;

enum command_kind {		 /* main to worker, never back */
		    COMMAND_SET, /* .upstream: add it, or take this one in place of the one with that id */
		    COMMAND_DROP,      /* close and forget it; answered with EVENT_DROPPED */
		    COMMAND_RETRY,     /* end the backoffs */
		    COMMAND_RECONNECT, /* .rolling: replace the connections by fresh ones */
		    COMMAND_PAUSE,
		    COMMAND_RESUME,
		    COMMAND_RELOAD_FILES, /* certificate, key, CA and CRL files may have changed: look at them now */
		    COMMAND_PING, /* answered with EVENT_PONG */
		    COMMAND_STOP, /* .deadline: close everything in order until then; answered with EVENT_STOPPED */
		    COMMAND_COUNT
};

struct command {
	enum command_kind kind;
	upstream_id id; /* of all kinds but RELOAD_FILES, PING and STOP */
	union {
		struct {
			struct upstream *upstream; /* a reference */
			bool in_place; /* nothing that differs needs new connections (config/diff) */
		} set;
		bool rolling;
		usec_t deadline;
		uint64_t ping; /* comes back in the pong */
	};
};

/* A link as its worker sees it, whole: a later one replaces an earlier one. */
struct link_status {
	enum stage stage;
	usec_t since;		/* monotonic */
	struct address address; /* of the connection, or of the last one; unset: none yet */
	struct address source;	/* unset: no connection */
	uint32_t attempt;
	usec_t retry_at;	    /* USEC_INFINITY: no attempt is planned */
	usec_t timing[STAGE_COUNT]; /* of the last attempt; USEC_INFINITY: the stage did not run */
	usec_t rtt;		    /* 0: unknown */
	bool held;		    /* local.offline */
	bool has_tls;		    /* tls is filled */
	struct tls_info tls;	    /* with a reference to the chain */
	uint64_t bytes_received, bytes_sent; /* of this connection, as of this status */
};

enum warning_kind {
	WARNING_STALL,	     /* .number: microseconds this worker was held up (local.stall) */
	WARNING_STALE_FILES, /* .failure: a changed file is unusable; an older good one stays in use */
	WARNING_VERIFICATION_DISABLED,
	WARNING_LEFT_OUT, /* .number: addresses there was no room for */
	WARNING_LOST,	  /* .number: events lost because main did not keep up */
	/* .number: 4 or 6, the family that is dead while the other one works (0: it is over); .failure: its last address's, or none */
	WARNING_FAMILY_BROKEN,
	/* .number: when the first certificate the peer is trusted by ends, in seconds since 1970 (0: over); .failure.chain: the chain */
	WARNING_CERTIFICATE_EXPIRES,
	WARNING_CERTIFICATE_CHANGED, /* momentary: .failure.chain: the one presented now; details old and new: SPKI digests of the leaf */
	WARNING_OWN_CERTIFICATE, /* .number: when ours ends or has ended (0: over); .failure: detail file */
	WARNING_CRL, /* .number: when the first issuer's CRL ends or has ended (0: over); .failure: detail file */
	WARNING_PROBE_FAILING, /* .number: probes of ready links failed in a row (0: over); .failure: the last one's */
	WARNING_ROTATION_STOPPED, /* .failure: of a connection with our changed certificate, while those made before are kept; no code: over */
	WARNING_FLAPPING, /* main's own: an upstream's ready connections end again and again; .number: how many lately (0: over) */
	WARNING_COUNT
};

enum event_kind {	      /* worker to main, never back */
		  EVENT_LINK, /* .status: a link has entered a stage, or its figures have changed */
		  EVENT_LINK_GONE,    /* that link exists no more (surplus, dropped) */
		  EVENT_FAILURE,      /* .failure: an attempt or a ready connection has ended */
		  EVENT_LOST_ADDRESS, /* .failure: an address failed within an attempt that went on */
		  EVENT_CLOSE, /* .reason: a ready connection has ended for a reason that is no failure */
		  EVENT_WARNING, /* .warning */
		  EVENT_DROPPED, /* COMMAND_DROP is done; nothing of that upstream is left */
		  EVENT_PONG,	 /* .ping */
		  EVENT_STOPPED, /* the worker's last word */
		  EVENT_COUNT
};

struct event {
	enum event_kind kind;
	upstream_id id;	   /* 0: no upstream is concerned */
	unsigned int link; /* 0: no link is concerned */
	usec_t at;	   /* monotonic */
	union {
		struct link_status status;
		struct failure failure;
		enum close_reason reason;
		struct {
			enum warning_kind kind;
			uint64_t number;
			struct failure failure; /* where the kind has one; code FAILURE_NONE otherwise */
		} warning;
		uint64_t ping;
	};
};

/*
 * command_done(command), event_done(event):
 * Give back the references of a message that nobody will take over.
 */
void command_done(struct command *command);
void event_done(struct event *event);

/*
 * warning_name(kind):
 * The wire name: "stall", "stale-files", "verification-disabled", "addresses-left-out", "events-lost",
 * "family-broken", "certificate-expires-soon", "certificate-changed", "own-certificate-expires-soon", "crl-expires-soon", "probe-failing",
 * "rotation-stopped", "flapping".  Static.
 */
const char *warning_name(enum warning_kind kind);
