/* config_loader: how a fault of the configuration is told. See
 * config_loader.h. */
#include "broker/shared/config_loader.h"

#include <stdarg.h>
#include <string.h>

enum { PATH_SHOWN_MAX = 160 };

int
config_shown(struct slice text)
{
	return (int)(text.len < CONFIG_SHOWN_MAX ? text.len : CONFIG_SHOWN_MAX);
}

static int
print_key(const struct config_loader *loader, char *out, size_t size)
{
	if (loader->key.len == 0)
		return 0;
	return snprintf(out, size,
	    "[%.*s] %.*s: ", config_shown(loader->section),
	    loader->section.bytes, config_shown(loader->key),
	    loader->key.bytes);
}

/* The end of a path tells more than its beginning. */
static const char *
shown_path(const struct config_loader *loader)
{
	const char *path = loader->path != NULL ? loader->path : "defaults";
	size_t len = strlen(path);

	return len <= PATH_SHOWN_MAX ? path : path + len - PATH_SHOWN_MAX;
}

static int
print_place(const struct config_loader *loader, char *out, size_t size)
{
	int len;

	if (loader->override != NULL)
		return snprintf(
		    out, size, "-o %.*s: ", CONFIG_SHOWN_MAX, loader->override);
	if (loader->line == CONFIG_LINE_OVERRIDE)
		len = snprintf(out, size, "-o: ");
	else if (loader->line == 0)
		len = snprintf(out, size, "%s: ", shown_path(loader));
	else
		len = snprintf(
		    out, size, "%s:%u: ", shown_path(loader), loader->line);
	return len + print_key(loader, out + len, size - (size_t)len);
}

int
config_fail(struct config_loader *loader, const char *format, ...)
{
	char *error = loader->error;
	size_t len = (size_t)print_place(loader, error, CONFIG_ERROR_SIZE);
	va_list args;

	if (len < CONFIG_ERROR_SIZE) {
		va_start(args, format);
		vsnprintf(error + len, CONFIG_ERROR_SIZE - len, format, args);
		va_end(args);
	}
	for (char *at = error; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7F)
			*at = '?';
	}
	return -1;
}
