/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/original.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format/build_id.h"
#include "process/maps.h"
#include "source/recorded.h"

/* Regions of one file stand close together: no more are looked at, and no more files of those that are known. */
#define NEAR 32
/* A core may claim that there were more: it would take seconds to look at them. */
#define MOST_FILES 16384

static void close_one(struct backing *backing)
{
	if (backing->state == BACKING_OPEN)
		close(backing->fd);
	*backing = (struct backing){ 0 };
}
#define AUTO_BACKING CLEANUP(close_one) struct backing

void originals_done(struct originals *originals)
{
	close_one(&originals->open);
	free(originals->items);
	buffer_done(&originals->missing);
	*originals = (struct originals){ 0 };
}

/* ----------------------------------------------------------------------------- the first page of a module --- */

static bool same_name(const struct pidmem_region *one, const struct pidmem_region *other)
{
	return one->path_size == other->path_size && one->deleted == other->deleted && one->inode == other->inode &&
	       one->dev_major == other->dev_major && one->dev_minor == other->dev_minor &&
	       !memcmp(one->path, other->path, one->path_size);
}

const struct pidmem_region *original_head(const struct pidmem_maps *maps, const struct pidmem_region *region)
{
	const struct pidmem_region *at = region;

	for (int i = 0; i < NEAR; i++, at--) {
		if (at->offset == 0 && same_name(at, region))
			return at;
		if (at == maps->regions)
			break;
	}
	return NULL;
}

static ssize_t read_page(void *user, uint64_t offset, void *bytes, size_t size)
{
	uint64_t left = offset < ORIGINAL_PAGE ? ORIGINAL_PAGE - offset : 0;

	size = size < left ? size : (size_t)left;
	memcpy(bytes, (const char *)user + (left ? offset : 0), size);
	return (ssize_t)size;
}

struct byte_reader original_reader(unsigned char page[ORIGINAL_PAGE])
{
	return (struct byte_reader){ read_page, page, ORIGINAL_PAGE };
}

bool original_read_head(struct pidmem_source *source, const struct pidmem_region *head,
			unsigned char page[ORIGINAL_PAGE])
{
	struct byte_reader reader = original_reader(page);
	unsigned char id[BUILD_ID_LARGEST];

	return pidmem_source_read(source, head->start, page, ORIGINAL_PAGE, NULL, NULL) == ORIGINAL_PAGE &&
	       build_id_find(&reader, id);
}

/* ---------------------------------------------------------------------------------------------- proof --- */

static bool same_times(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino && one->st_size == other->st_size &&
	       one->st_mtim.tv_sec == other->st_mtim.tv_sec && one->st_mtim.tv_nsec == other->st_mtim.tv_nsec &&
	       one->st_ctim.tv_sec == other->st_ctim.tv_sec && one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

static bool as_noted(const struct stat *status, const struct origin_file *noted)
{
	const struct stat then = {
		.st_dev = noted->device,
		.st_ino = noted->inode,
		.st_size = (off_t)noted->size,
		.st_mtim = { noted->modified, noted->modified_ns },
		.st_ctim = { noted->changed, noted->changed_ns },
	};

	return same_times(status, &then);
}

__attribute__((format(printf, 3, 4))) static int miss(struct originals *originals, const struct original *original,
						      const char *format, ...)
{
	const struct pidmem_region *region = original->region;
	char text[512];
	va_list arguments;
	int used;

	/* A file that is mapped several times is told of once. */
	for (size_t i = originals->count > NEAR ? originals->count - NEAR : 0; i < originals->count; i++)
		if (!originals->items[i].same && same_name(originals->items[i].region, region))
			return 0;
	used = snprintf(text, sizeof text, "what it leaves out of %.200s%s stays missing: ", region->path,
			region->deleted ? " (deleted)" : "");
	va_start(arguments, format);
	vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
	va_end(arguments);
	originals->missing_count++;
	return buffer_append(&originals->missing, text, strlen(text) + 1);
}

/* The beginning of a build-id tells them apart. */
static const char *show_id(unsigned char page[ORIGINAL_PAGE], char text[20])
{
	struct byte_reader reader = original_reader(page);
	unsigned char id[BUILD_ID_LARGEST];
	size_t size = build_id_find(&reader, id);

	for (size_t i = 0; i < size && i < 8; i++)
		sprintf(text + 2 * i, "%02x", id[i]);
	return size ? text : "none";
}

static int compare_pages(struct originals *originals, struct original *original, const struct backing *file,
			 unsigned char core[ORIGINAL_PAGE])
{
	unsigned char page[ORIGINAL_PAGE] = { 0 };
	char ours[20], theirs[20];

	if (backing_read(file, 0, page, sizeof page) == sizeof page && !memcmp(page, core, sizeof page)) {
		original->same = true;
		return 0;
	}
	if (!strcmp(show_id(page, theirs), show_id(core, ours)))
		return miss(originals, original,
			    "it was changed, by strip(1) perhaps, though its build-id is the same");
	return miss(originals, original, "it is another build: its build-id is %s, not %s", show_id(page, theirs),
		    show_id(core, ours));
}

static int prove(struct pidmem_source *source, struct original *original)
{
	struct originals *originals = &source->recorded->originals;
	const struct pidmem_region *region = original->region;
	unsigned char core[ORIGINAL_PAGE];
	bool has_id = original->head && original_read_head(source, original->head, core);
	AUTO_BACKING file = { 0 };

	if (!has_id && !original->noted)
		return miss(originals, original, "nothing in it proves that the file is the same");
	int result = backing_open_named(&file, region->path, &original->status);
	if (result < 0)
		return miss(originals, original, "%s",
			    result == -EINVAL ? "it is not a regular file" : strerror(-result));
	if (original->noted && as_noted(&original->status, original->noted))
		original->same = true;
	else if (has_id)
		return compare_pages(originals, original, &file, core);
	else
		return miss(originals, original, "the file has changed, or is another one");
	return 0;
}

/* Once. */
static int tell_full(struct originals *originals, const struct original *original)
{
	originals->full = true;
	return miss(originals, original, "no more than %d files are looked at", MOST_FILES) < 0 ? -ENOMEM : -ENOENT;
}

ssize_t originals_find(struct pidmem_source *source, const struct pidmem_region *region,
		       const struct origin_file *noted)
{
	struct originals *originals = &source->recorded->originals;
	struct original original = { .region = region, .noted = noted, .head = original_head(source->maps, region) };
	size_t i = originals->count > NEAR ? originals->count - NEAR : 0;

	for (; i < originals->count; i++) {
		const struct original *one = &originals->items[i];
		if (one->noted == noted && one->head == original.head && same_name(one->region, region))
			return one->same ? (ssize_t)i : -ENOENT;
	}
	if (originals->count >= MOST_FILES)
		return originals->full ? -ENOENT : tell_full(originals, &original);
	struct original *items = array_grow(originals->items, originals->count, &originals->capacity, sizeof *items);
	if (!items)
		return -ENOMEM;
	originals->items = items;
	if (prove(source, &original) < 0)
		return -ENOMEM;
	items[originals->count++] = original;
	return original.same ? (ssize_t)originals->count - 1 : -ENOENT;
}

/* ------------------------------------------------------------------------------------------- to read it --- */

bool original_is_same(const struct originals *originals)
{
	struct stat now;

	return fstat(originals->open.fd, &now) == 0 &&
	       same_times(&now, &originals->items[originals->open_index].status);
}

const struct backing *original_open(struct originals *originals, size_t index)
{
	const struct original *original = &originals->items[index];
	struct stat status;

	if (originals->open.state != BACKING_OPEN || originals->open_index != index) {
		close_one(&originals->open);
		if (backing_open_named(&originals->open, original->region->path, &status) < 0)
			return NULL;
		originals->open_index = index;
	}
	return original_is_same(originals) ? &originals->open : NULL;
}
