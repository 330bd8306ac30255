/* Tables: collected row by row, laid out once all widths are known. */
#include "ctl/table.h"

#include "base/cleanup.h"
#include "base/must.h"
#include "ctl/ctl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define GAP	    2 /* spaces between columns */
#define NOTE_INDENT 4
#define NOTES_MAX   3 /* of one row */

struct note {
	char *text;
	enum style style;
};

struct row {
	unsigned int order;
	size_t index; /* in the order of table_add() */
	char *cells[TABLE_COLUMNS_MAX];
	enum style styles[TABLE_COLUMNS_MAX];
	struct note notes[NOTES_MAX];
	unsigned int note_count;
};

struct table {
	const struct column *columns;
	unsigned int column_count;
	unsigned int widths[TABLE_COLUMNS_MAX]; /* the widest cell's */
	struct row *rows;
	size_t count, size;
};

struct table *
table_new(const struct column *columns, unsigned int count)
{
	struct table *table = ctl_need(calloc(1, sizeof(*table)));

	must(count > 0 && count <= TABLE_COLUMNS_MAX);
	table->columns = columns;
	table->column_count = count;
	for (unsigned int i = 0; i < count; i++)
		table->widths[i] = screen_columns(columns[i].title);
	return table;
}

struct table *
table_free(struct table *table)
{
	if (!table)
		return NULL;
	for (size_t i = 0; i < table->count; i++) {
		struct row *row = &table->rows[i];

		for (unsigned int column = 0; column < table->column_count; column++)
			free(row->cells[column]);
		for (unsigned int note = 0; note < row->note_count; note++)
			free(row->notes[note].text);
	}
	free(table->rows);
	free(table);
	return NULL;
}

static struct row *
new_row(struct table *table)
{
	if (table->count == table->size) {
		table->size = table->size ? 2 * table->size : 16;
		table->rows = ctl_need(reallocarray(table->rows, table->size, sizeof(table->rows[0])));
	}
	return &table->rows[table->count++];
}

void
table_add(struct table *table, const struct screen *screen, unsigned int order, const struct cell *cells)
{
	struct row *row = new_row(table);

	*row = (struct row){ .order = order, .index = table->count };
	for (unsigned int i = 0; i < table->column_count; i++) {
		unsigned int columns;

		row->cells[i] = screen_clean(screen, cells[i].text);
		row->styles[i] = cells[i].style;
		columns = screen_columns(row->cells[i]);
		if (columns > table->widths[i])
			table->widths[i] = columns;
	}
}

void
table_note(struct table *table, const char *text, enum style style)
{
	struct row *row = &table->rows[table->count - 1];

	must(table->count > 0 && row->note_count < NOTES_MAX);
	row->notes[row->note_count++] = (struct note){ .text = ctl_need(strdup(text)), .style = style };
}

size_t
table_count(const struct table *table)
{
	return table->count;
}

/* ---- layout ----------------------------------------------------------------------------------------------------- */

struct layout {
	unsigned int widths[TABLE_COLUMNS_MAX]; /* 0: the column is not shown */
	unsigned int total;			/* of a line */
};

static void
layout_sum(struct layout *layout, unsigned int count)
{
	layout->total = 0;
	for (unsigned int i = 0; i < count; i++) {
		if (layout->widths[i] > 0)
			layout->total += layout->widths[i] + (layout->total > 0 ? GAP : 0);
	}
}

/* Takes as much from column `index` as is too much, but leaves it `least`. */
static void
layout_cut(struct layout *layout, unsigned int index, unsigned int least, unsigned int limit)
{
	unsigned int excess = layout->total > limit ? layout->total - limit : 0;
	unsigned int spare = layout->widths[index] > least ? layout->widths[index] - least : 0;
	unsigned int taken = excess < spare ? excess : spare;

	layout->widths[index] -= taken;
	layout->total -= taken;
}

/* The shown column of the highest rank, or -1 where only those are left that are never dropped. */
static int
layout_least_wanted(const struct layout *layout, const struct table *table)
{
	int found = -1;
	unsigned int rank = 0;

	for (unsigned int i = 0; i < table->column_count; i++) {
		if (layout->widths[i] > 0 && table->columns[i].rank > rank) {
			rank = table->columns[i].rank;
			found = (int)i;
		}
	}
	return found;
}

/* Gives room that dropping a column left over back to those that had been cut for it. */
static void
layout_shrink(struct layout *layout, const struct table *table, unsigned int limit)
{
	for (unsigned int i = 0; i < table->column_count; i++) {
		if (layout->widths[i] > 0)
			layout->widths[i] = table->widths[i];
	}
	layout_sum(layout, table->column_count);
	for (unsigned int i = table->column_count; i-- > 0;) {
		if (layout->widths[i] > 0 && table->columns[i].least > 0)
			layout_cut(layout, i, table->columns[i].least, limit);
	}
}

static void
layout_make(struct layout *layout, const struct table *table, unsigned int limit)
{
	unsigned int count = table->column_count;

	memcpy(layout->widths, table->widths, sizeof(layout->widths));
	layout_shrink(layout, table, limit);
	while (layout->total > limit) {
		int dropped = layout_least_wanted(layout, table);

		if (dropped < 0)
			break;
		layout->widths[dropped] = 0;
		layout_shrink(layout, table, limit);
	}
	/* What is wanted most is too wide: cut it to what there is, and leave the first alone if need be. */
	for (unsigned int i = count; i-- > 0;)
		layout_cut(layout, i, layout->widths[i] > 0 ? 1 : 0, limit);
	for (unsigned int i = count; i-- > 1 && layout->total > limit;) {
		layout->widths[i] = 0;
		layout_sum(layout, count);
	}
}

/* ---- printing --------------------------------------------------------------------------------------------------- */

struct line {
	const struct screen *screen;
	unsigned int pending; /* spaces before what comes next: none are left at a line's end */
	bool begun;
};

static void
line_put(struct line *line, const struct column *column, unsigned int width, struct cell cell)
{
	unsigned int columns = screen_columns(cell.text);
	unsigned int blank = columns < width ? width - columns : 0;

	if (width == 0)
		return;
	line->pending += line->begun ? GAP : 0;
	line->begun = true;
	if (columns == 0) {
		line->pending += width;
		return;
	}
	screen_spaces(line->screen, line->pending + (column->right ? blank : 0));
	screen_cut(line->screen, cell.text, cell.style, width);
	line->pending = column->right ? 0 : blank;
}

static void
print_titles(const struct table *table, const struct layout *layout, const struct screen *screen)
{
	struct line line = { .screen = screen };

	for (unsigned int i = 0; i < table->column_count; i++)
		line_put(&line, &table->columns[i], layout->widths[i],
			 (struct cell){ table->columns[i].title, STYLE_BOLD });
	fputc('\n', screen->out);
}

static void
print_row(const struct table *table, const struct layout *layout, const struct screen *screen,
	  const struct row *row)
{
	static const struct paragraph below = { .column = NOTE_INDENT, .indent = NOTE_INDENT };
	struct line line = { .screen = screen };

	for (unsigned int i = 0; i < table->column_count; i++)
		line_put(&line, &table->columns[i], layout->widths[i],
			 (struct cell){ row->cells[i], row->styles[i] });
	fputc('\n', screen->out);
	for (unsigned int i = 0; i < row->note_count; i++) {
		struct paragraph paragraph = below;

		paragraph.style = row->notes[i].style;
		screen_spaces(screen, NOTE_INDENT);
		screen_wrap(screen, &paragraph, row->notes[i].text);
	}
}

static int
compare_rows(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	if (one->order != other->order)
		return one->order < other->order ? -1 : 1;
	return one->index < other->index ? -1 : one->index > other->index;
}

void
table_print(struct table *table, const struct screen *screen)
{
	struct layout layout;

	layout_make(&layout, table, screen->width > 0 ? screen->width : UINT_MAX);
	if (table->count > 0)
		qsort(table->rows, table->count, sizeof(table->rows[0]), compare_rows);
	print_titles(table, &layout, screen);
	for (size_t i = 0; i < table->count; i++)
		print_row(table, &layout, screen, &table->rows[i]);
}
