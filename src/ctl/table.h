/*
 * Tables: aligned columns that never make a line wider than the screen.  What does not fit is cut with an ellipsis, and then
 * whole columns go, the least important first.
 */
#pragma once

#include "ctl/screen.h"

struct column {
	const char *title;
	bool right; /* aligned to the right */
	unsigned int least; /* columns it may be cut to before others are dropped; 0: it is not cut until nothing else helps */
	unsigned int rank; /* what is dropped goes from the highest down; 0: never, unless the first column alone has room */
};

struct cell {
	const char *text; /* foreign text is welcome: it is cleaned */
	enum style style;
};

#define TABLE_COLUMNS_MAX 12

struct table;

/*
 * table_new(columns, count):
 * A table without rows; `columns` (at most TABLE_COLUMNS_MAX) is borrowed.  Never NULL.  table_free() takes NULL and returns NULL.
 */
struct table *table_new(const struct column *columns, unsigned int count);
struct table *table_free(struct table *table);

/*
 * table_add(table, screen, order, cells):
 * Add a row of as many cells as there are columns (copied).  Rows are shown by `order`, and where it is equal as they were added.
 */
void table_add(struct table *table, const struct screen *screen, unsigned int order,
	       const struct cell *cells);

/*
 * table_note(table, text, style):
 * Put a note (copied, wrapped, indented) below the row that was added last.
 */
void table_note(struct table *table, const char *text, enum style style);

/*
 * table_count(table):
 * How many rows there are.
 */
size_t table_count(const struct table *table);

/*
 * table_print(table, screen):
 * Print titles, rows and notes.
 */
void table_print(struct table *table, const struct screen *screen);
