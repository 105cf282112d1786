/* title: what ps(1) shows for a process. */
#ifndef SSEMUX_SUPERVISOR_TITLE_H
#define SSEMUX_SUPERVISOR_TITLE_H

/* To be called first, with main's arguments; the environment is moved away to
 * make room. When there is no memory, titles stay as they are. */
void title_init(int argc, char **argv);

/* "ssemuxd: " and the role. */
void title_set(const char *role);

#endif
