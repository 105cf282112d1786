/* config_http: the settings of [http] that have a form of their own. */
#ifndef SSEMUX_SHARED_CONFIG_HTTP_H
#define SSEMUX_SHARED_CONFIG_HTTP_H

#include "broker/shared/config.h"

/* Looks at http.cors_origins, http.trusted_proxies and http.proxy_protocol.
 * 0; or -1 with a message in error. */
int config_http_check(
    const struct config *config, char error[CONFIG_ERROR_SIZE]);

#endif
