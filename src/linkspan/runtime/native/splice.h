/* Ready-made edits put into a config.json: what they add goes in between, the rest stays byte for byte as it was.
 *
 * What the edits do is what runtime/patch.py does with the same ones. Whatever would have to be taken away or compared is
 * left to Python: a node or a mount in the place of one of ours, a hook of NVIDIA's.
 */
#ifndef LINKSPAN_SPLICE_H
#define LINKSPAN_SPLICE_H

#include "json.h"
#include "record.h"

enum { MAX_CUTS = 16 };

struct cut {
	size_t at, drop;
	struct text insert;
};

struct splice {
	struct json *config;
	struct cut cuts[MAX_CUTS];
	int count;
};

/* Reads the edits from the record and plans where they go; false where Python has to. */
bool splice_edits(struct splice *splice, struct record *record);

/* Plans one more hook entry of this stage. */
bool splice_hook(struct splice *splice, const char *stage, struct text entry);

/* The new config.json. */
void splice_write(const struct splice *splice, struct buffer *out);

#endif
