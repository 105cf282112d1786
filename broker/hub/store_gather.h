/*
 * store_gather: SQLite's write-ahead log, written in few pieces. For store*.c.
 *
 * SQLite writes each page of a transaction in two pieces, a head of 24 bytes
 * and the page. Here they are gathered, and written in one with the page that
 * ends the transaction: that one says so in its head.
 *
 *	| head page | head page | ... | head, "commit" page |
 *	  gathered ----------------------------------------> one write
 *
 * What SQLite is told is as true as without: what fails to be written fails the
 * transaction, and nothing of a transaction is gathered any more when it ends,
 * when SQLite reads or syncs the log, asks for its size, or goes back in it.
 */
#ifndef SSEMUX_HUB_STORE_GATHER_H
#define SSEMUX_HUB_STORE_GATHER_H

/* The name under which SQLite opens files in this way; NULL: there is no
 * memory for it, and files are opened as always. */
const char *store_gather(void);

#endif
