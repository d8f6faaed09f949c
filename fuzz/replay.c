/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Feed each file of the directories named to the fuzzer, without a fuzzing engine: any compiler, part of the tests. */
#include "fuzz.h"

#include <dirent.h>
#include <err.h>
#include <limits.h>
#include <sys/stat.h>

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat stat;
	if (!file || fstat(fileno(file), &stat) < 0)
		err(2, "%s", path);
	/* Exactly the size, so that a sanitizer sees the first byte read past it. */
	uint8_t *data = malloc((size_t)stat.st_size);
	if (fread(data, 1, (size_t)stat.st_size, file) != (size_t)stat.st_size)
		err(2, "%s", path);
	fclose(file);
	printf("%s\n", path);
	fflush(stdout); /* the name of the file that does it, should the next line crash */
	LLVMFuzzerTestOneInput(data, (size_t)stat.st_size);
	free(data);
}

static int replay_directory(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort), files = 0;
	if (count < 0)
		err(2, "%s", directory);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		if (entries[i]->d_name[0] != '.') {
			snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
			replay_file(path);
			files++;
		}
		free(entries[i]);
	}
	free(entries);
	return files;
}

int main(int argc, char **argv)
{
	int files = 0;
	for (int i = 1; i < argc; i++)
		files += replay_directory(argv[i]);
	if (!files)
		errx(1, "no files to replay");
	printf("%d inputs replayed\n", files);
	return 0;
}
