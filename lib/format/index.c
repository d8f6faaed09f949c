/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/index.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "format/json.h"

/* Length of the UTF-8 character at `text`, 0 if it is none: what jansson takes as a string. */
static size_t character(const char *text, size_t size)
{
	for (size_t length = 1; length <= 4 && length <= size; length++) {
		AUTO_JSON string = json_stringn(text, length);
		if (string)
			return length;
	}
	return 0;
}

/* A path with the bytes that are not UTF-8 as \xHH. */
static json_t *escaped(const char *bytes, size_t size)
{
	AUTO_FREE char *text = malloc(size * 4 + 1);
	size_t length = 0;

	for (size_t i = 0; text && i < size;) {
		size_t taken = character(bytes + i, size - i);
		if (taken)
			memcpy(text + length, bytes + i, taken);
		else
			sprintf(text + length, "\\x%02x", (unsigned char)bytes[i]);
		length += taken ? taken : 4;
		i += taken ? taken : 1;
	}
	return text ? json_stringn(text, length) : NULL;
}

/* All bytes of a path, in hex. */
static json_t *in_hex(const char *bytes, size_t size)
{
	AUTO_FREE char *text = malloc(size * 2 + 1);

	for (size_t i = 0; text && i < size; i++)
		sprintf(text + 2 * i, "%02x", (unsigned char)bytes[i]);
	return text ? json_string(text) : NULL;
}

/* 2^64, the end of the last possible region, has a digit more than fits. */
static json_t *address(uint64_t start, uint64_t size)
{
	char text[24];

	if (size && start + size == 0)
		return json_string("0x10000000000000000");
	snprintf(text, sizeof text, "0x%llx", (unsigned long long)(start + size));
	return json_string(text);
}

static json_t *perms_text(uint32_t perms)
{
	char text[5] = "---p";

	for (size_t i = 0; i < 4; i++)
		if (perms & 1U << i)
			text[i] = "rwxs"[i];
	for (size_t i = 0; i < 3 && perms & PIDMEM_PERM_UNKNOWN; i++)
		text[i] = '?';
	if (perms & PIDMEM_PERM_SHARING_UNKNOWN)
		text[3] = '?';
	return json_string(text);
}

/* Both forms of a path that is not UTF-8, the path itself of others. */
static int set_path(json_t *line, const struct index_entry *entry)
{
	json_t *plain = json_stringn(entry->path, entry->path_size);

	if (plain)
		return json_object_set_new(line, "path", plain);
	return json_object_set_new(line, "path", escaped(entry->path, entry->path_size)) |
	       json_object_set_new(line, "path_hex", in_hex(entry->path, entry->path_size));
}

/* Where in which region: for readers that want the regions back as they were. */
static int set_region(json_t *line, const struct index_entry *entry)
{
	char dev[24];
	int failed = json_object_set_new(line, "region", address(entry->region, 0));

	failed |= json_object_set_new(line, "kind", json_string(pidmem_kind_name(entry->kind)));
	if (!entry->inode && !entry->dev_major && !entry->dev_minor)
		return failed;
	snprintf(dev, sizeof dev, "%02x:%02x", entry->dev_major, entry->dev_minor);
	failed |= json_object_set_new(line, "mapped_offset", address(entry->mapped_offset, 0));
	failed |= json_object_set_new(line, "dev", json_string(dev));
	return failed | json_object_set_new(line, "inode", json_integer((json_int_t)entry->inode));
}

/* NULL if there is no memory for all of it: json_object_set_new() fails for a NULL value and for a NULL object. */
static json_t *to_json(const char *command, const struct index_entry *entry)
{
	AUTO_JSON line = json_object();
	int failed = json_object_set_new(line, "pidmem", json_integer(1));

	failed |= json_object_set_new(line, "command", json_string(command));
	failed |= json_object_set_new(line, "start", address(entry->start, 0));
	failed |= json_object_set_new(line, "end", address(entry->start, entry->size));
	if (entry->class_ == PIDMEM_READ)
		failed |= json_object_set_new(line, "offset", json_integer((json_int_t)entry->offset));
	else if (entry->class_ == PIDMEM_ZERO)
		failed |= json_object_set_new(line, "zero", json_true());
	if (entry->zstd)
		failed |= json_object_set_new(line, "compression", json_string("zstd"));
	if (entry->file)
		failed |= json_object_set_new(line, "file", json_string(entry->file));
	if (entry->why) {
		failed |= json_object_set_new(line, "class", json_string(pidmem_class_name(entry->class_)));
		failed |= json_object_set_new(line, "why", json_string(pidmem_why_name(entry->why)));
	}
	failed |= json_object_set_new(line, "perms", perms_text(entry->perms));
	failed |= set_path(line, entry);
	if (entry->deleted)
		failed |= json_object_set_new(line, "deleted", json_true());
	if (entry->has_region)
		failed |= set_region(line, entry);
	return failed ? NULL : take(line);
}

int index_append(struct buffer *lines, const char *command, const struct index_entry *entry)
{
	AUTO_JSON line = to_json(command, entry);
	/* Not json_dumps(): jansson 2.14 forgets a key for which there is no memory, and goes on. */
	size_t length = line ? json_dumpb(line, NULL, 0, JSON_COMPACT) : 0;

	if (!length || buffer_reserve(lines, length + 1) < 0 ||
	    json_dumpb(line, lines->bytes + lines->size, length, JSON_COMPACT) != length)
		return -ENOMEM;
	lines->bytes[lines->size + length] = '\n';
	lines->size += length + 1;
	return 0;
}

void index_texts_done(struct index_texts *texts)
{
	free(texts->path);
	free(texts->file);
	*texts = (struct index_texts){ 0 };
}

/* "0x..." up to 2^64, which comes out as 0 with *beyond set. */
static bool parse_address(const json_t *value, uint64_t *out, bool *beyond)
{
	const char *text = json_string_value(value);
	char *end;

	if (!text || strncmp(text, "0x", 2) != 0 || !text[2] ||
	    strspn(text + 2, "0123456789abcdef") != strlen(text + 2))
		return false;
	*beyond = !strcmp(text, "0x10000000000000000");
	errno = 0;
	*out = *beyond ? 0 : strtoull(text + 2, &end, 16);
	return errno == 0;
}

static bool parse_range(const json_t *line, struct index_entry *entry)
{
	uint64_t end;
	bool start_beyond, end_beyond;

	if (!parse_address(json_object_get(line, "start"), &entry->start, &start_beyond) || start_beyond ||
	    !parse_address(json_object_get(line, "end"), &end, &end_beyond))
		return false;
	entry->size = end - entry->start;
	return end_beyond ? entry->start != 0 : end > entry->start;
}

static bool parse_perms(const json_t *value, uint32_t *perms)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) != 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		if (text[i] == "rwxs"[i])
			*perms |= 1U << i;
		else if (text[i] == '?')
			*perms |= i == 3 ? PIDMEM_PERM_SHARING_UNKNOWN : PIDMEM_PERM_UNKNOWN;
		else if (text[i] != (i == 3 ? 'p' : '-'))
			return false;
	}
	if (*perms & PIDMEM_PERM_UNKNOWN)
		*perms &= ~(PIDMEM_PERM_READ | PIDMEM_PERM_WRITE | PIDMEM_PERM_EXEC);
	return true;
}

static bool parse_reason(const json_t *line, struct index_entry *entry)
{
	const char *class_ = json_string_value(json_object_get(line, "class"));
	const char *why = json_string_value(json_object_get(line, "why"));

	for (int i = PIDMEM_EXCLUDED; class_ && i < PIDMEM_CLASSES; i++)
		if (!strcmp(class_, pidmem_class_name((enum pidmem_class)i)))
			entry->class_ = (enum pidmem_class)i;
	for (int i = PIDMEM_WHY_NONE + 1; why && *pidmem_why_name((enum pidmem_why)i); i++)
		if (!strcmp(why, pidmem_why_name((enum pidmem_why)i)))
			entry->why = (enum pidmem_why)i;
	return entry->class_ >= PIDMEM_EXCLUDED && why_is_lack(entry->why);
}

/* Exactly one of offset, zero and why. */
static bool parse_content(const json_t *line, struct index_entry *entry)
{
	const json_t *offset = json_object_get(line, "offset");
	const char *compression = json_string_value(json_object_get(line, "compression"));
	bool zero = json_is_true(json_object_get(line, "zero")), why = json_object_get(line, "why") != NULL;

	if ((offset != NULL) + zero + why != 1)
		return false;
	if (why)
		return parse_reason(line, entry);
	entry->class_ = zero ? PIDMEM_ZERO : PIDMEM_READ;
	if (zero)
		return true;
	json_int_t value = json_integer_value(offset);
	entry->offset = (uint64_t)value;
	entry->zstd = compression != NULL;
	if (compression && strcmp(compression, "zstd") != 0)
		return false;
	return json_is_integer(offset) && value >= 0 && entry->offset <= INT64_MAX - (entry->size & INT64_MAX);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* The bytes of the path: from path_hex where it is not UTF-8. */
static char *parse_path(const json_t *line, size_t *size)
{
	const char *text = json_string_value(json_object_get(line, "path"));
	const char *hex = json_string_value(json_object_get(line, "path_hex"));

	if (!text || (hex && strlen(hex) % 2))
		return NULL;
	*size = hex ? strlen(hex) / 2 : json_string_length(json_object_get(line, "path"));
	char *path = calloc(1, *size + 1);
	for (size_t i = 0; path && i < *size; i++) {
		int high = hex ? hex_digit(hex[2 * i]) : 0, low = hex ? hex_digit(hex[2 * i + 1]) : 0;
		path[i] = hex ? (char)(high * 16 + low) : text[i];
		if (high < 0 || low < 0 || !path[i]) { /* no path holds a NUL */
			free(path);
			return NULL;
		}
	}
	return path;
}

/* All of it or nothing: a line without "region" is of an older version. */
static bool parse_region(const json_t *line, struct index_entry *entry)
{
	const json_t *inode = json_object_get(line, "inode");
	const char *dev = json_string_value(json_object_get(line, "dev"));
	const char *kind = json_string_value(json_object_get(line, "kind"));
	int number = PIDMEM_KIND_ANON, used = 0;
	bool beyond;

	if (!json_object_get(line, "region"))
		return true;
	entry->has_region = true;
	while (kind && number <= PIDMEM_KIND_VDSO && strcmp(kind, pidmem_kind_name((enum pidmem_kind)number)) != 0)
		number++;
	entry->kind = (enum pidmem_kind)number;
	if (!kind || number > PIDMEM_KIND_VDSO ||
	    !parse_address(json_object_get(line, "region"), &entry->region, &beyond) || beyond ||
	    entry->region > entry->start)
		return false;
	if (!dev)
		return true;
	entry->inode = (uint64_t)json_integer_value(inode);
	return json_is_integer(inode) &&
	       parse_address(json_object_get(line, "mapped_offset"), &entry->mapped_offset, &beyond) && !beyond &&
	       sscanf(dev, "%8x:%8x%n", &entry->dev_major, &entry->dev_minor, &used) == 2 && !dev[used];
}

bool index_parse_hole(const json_t *object, struct index_entry *entry)
{
	return json_is_object(object) && parse_range(object, entry) && parse_reason(object, entry) &&
	       entry->class_ >= PIDMEM_NO_CONTENT;
}

int index_parse_line(const char *line, size_t size, struct index_entry *out, struct index_texts *texts,
		     struct pidmem_error *error)
{
	json_error_t json_error;
	AUTO_JSON object = json_loadb(line, size, JSON_REJECT_DUPLICATES, &json_error);
	struct index_entry entry = { 0 };

	if (!json_is_object(object) || !parse_range(object, &entry) || !parse_content(object, &entry) ||
	    !parse_perms(json_object_get(object, "perms"), &entry.perms) || !parse_region(object, &entry))
		return fail(error, PIDMEM_FORMAT, EBADMSG, "not a line of the index of a raw dump");
	AUTO_FREE char *path = parse_path(object, &entry.path_size);
	if (!path)
		return fail(error, PIDMEM_FORMAT, EBADMSG, "a line of the index has no proper path");
	const char *file = json_string_value(json_object_get(object, "file"));
	texts->file = file ? strdup(file) : NULL;
	if (file && !texts->file)
		return fail_memory(error);
	entry.deleted = json_is_true(json_object_get(object, "deleted"));
	entry.path = texts->path = take(path);
	entry.file = texts->file;
	*out = entry;
	return 0;
}
