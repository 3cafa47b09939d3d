/* The least that a durable append can be: open, lock, write, flush.
 *
 * append one FILE RECORD    one record, and the process ends
 * append loop FILE COUNT    that many records, a flush for each
 * append serve FILE         a record for each line on stdin, an acknowledgement for each on stdout, the flush inside the lock
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int append(int data, int lock, const char *record, size_t len)
{
    if (flock(lock, LOCK_EX)) return 1;
    if (write(data, record, len) != (ssize_t)len) return 1;
    if (fdatasync(data)) return 1;
    return flock(lock, LOCK_UN);
}

int main(int argc, char **argv)
{
    static char line[65536];
    if (argc < 3) return 2;
    int data = open(argv[2], O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    snprintf(line, sizeof line, "%s.lock", argv[2]);
    int lock = open(line, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (data < 0 || lock < 0) return 1;
    if (!strcmp(argv[1], "one") && argc == 4) return append(data, lock, argv[3], strlen(argv[3]));
    if (!strcmp(argv[1], "loop") && argc == 4) {
        memset(line, 'x', 229);
        line[229] = '\n';
        for (long left = atol(argv[3]); left > 0; left--)
            if (append(data, lock, line, 230)) return 1;
        return 0;
    }
    if (!strcmp(argv[1], "serve")) {
        size_t have = 0;
        ssize_t got;
        while ((got = read(0, line + have, sizeof line - have)) > 0) {
            have += got;
            if (line[have - 1] != '\n') continue;
            if (append(data, lock, line, have) || write(1, line, have) != (ssize_t)have) return 1;
            have = 0;
        }
        return 0;
    }
    return 2;
}
