// Routes and events that try the calls of the host, for selftest.c.

#include "dolmen.h"

do_handler host_sql, host_list, host_alarm, host_object, host_log, host_fetch, host_fetch_many, host_fanout, host_keep;
do_handler host_opened, host_message, host_closed;
do_fanout_urls host_urls;
