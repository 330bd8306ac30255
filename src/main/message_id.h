/*
 * The journal's MESSAGE_ID of each kind of line: M(ID, 128-bit id, what the catalog's subject says).  An id is
 * released once and never given to anything else.  The catalog (systemd/holdfast.catalog) is made from this list
 * and from FAILURE_LIST by main/failure_manual.
 *
 * The first seven are failures, in the order of enum failure_class.
 */
#pragma once

#define MESSAGE_ID_LIST(M) \
	M(ADDRESS, "5fef7322bd96460b8437f075ab4db7f5", "No address to connect to") \
	M(CONNECTION, "39ff6f4dd55b46e3b8e73d3df8935b70", "Connection failed or lost") \
	M(TIMEOUT, "8c14d4c28fda4f7d8e41af2580d01ad8", "No answer in time") \
	M(SOCKET, "2f21da9bd8834107b5dedcb2475f4ed6", "No socket to be had on this host") \
	M(TLS, "5c479091217745adb6624f14d640fed9", "TLS refused or broken") \
	M(PROTOCOL, "21f104cb065f453fb6d312df8556ec44", "The peer does not speak as expected") \
	M(LOCAL, "525c417d88c146d8878587d639b85422", "Something is wrong on this host") \
	M(RECOVERY, "1e8f278ee15241c29d027a79bf34646c", "A link is ready again") \
	M(CLOSE, "df68ee7a49c3462d87c41df912a979cd", "A connection was closed on purpose") \
	M(WARNING, "4d01155742134e62939d6680cdbf77dd", "Something deserves attention") \
	M(HEALTH, "831a2515bf7249b7ab36de977c49b5e4", "The health of an upstream has changed") \
	M(CONFIG, "d362ee825a814d1084fbb241d634150b", "The configuration was read") \
	M(STAGE, "96d978bf579b40f08ee2406f826ea8ee", "A link has entered a stage") \
	M(DAEMON, "e08bc689b33443beb66305c5d548d94e", "About the daemon itself")

enum message_id {
#define M(id, hex, subject) MESSAGE_ID_##id,
	MESSAGE_ID_LIST(M)
#undef M
		MESSAGE_ID_COUNT
};
