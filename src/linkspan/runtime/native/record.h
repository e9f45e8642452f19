/* The files in which Python leaves what it did, so that it can be done again without it (formats/record.py writes them).
 *
 * A record is a row of fields, each a netstring, LENGTH:BYTES, with a comma behind it. A list is its number of rows, then
 * the rows. What is wrong with a record shows once, at its end, in ``broken``: until then it gives empty texts and zeroes.
 */
#ifndef LINKSPAN_RECORD_H
#define LINKSPAN_RECORD_H

#include "text.h"

struct record {
	struct text rest;
	bool broken;
};

/* Where records are, and the version of linkspan that wrote those that count: another one may do things differently. */
struct store {
	const char *state, *version;
};

/* Opens STATE/KIND/HASH; false where there is none that only we can have written, of this version and for this key. */
bool record_open(struct record *record, const struct store *store, const char *kind, struct text name, struct text key);

struct text record_text(struct record *record);
char *record_string(struct record *record); /* never NULL: empty in a broken record */
int64_t record_number(struct record *record);
int record_count(struct record *record);

/* True where every stamp in a list of them (kind, path, value; see kernel/stamps.py) still holds. */
bool stamps_hold(struct record *record);

#endif
