/* server/kmp_door.h - KMP on a connection: preamble, login, messages in; answers out. */
#ifndef KT_SERVER_KMP_DOOR_H
#define KT_SERVER_KMP_DOOR_H

#include "server/conn.h"

/* Takes whole messages from `data`; returns the bytes that are done with. Stops early when the session accepts no
 * more for now. */
size_t kt_door_feed(KtConn *conn, const uint8_t *data, size_t len);

void kt_door_ok(KtConn *conn, uint32_t request, const KmpOk *ok);
void kt_door_error(KtConn *conn, uint32_t request, KtStatus status, const KtDiag *diag,
                   uint64_t query, KmpTxState state);
void kt_door_pong(KtConn *conn, uint32_t request);
void kt_door_progress(KtConn *conn, uint32_t request, uint64_t rows_seen);
void kt_door_going_away(KtConn *conn, int64_t grace_ms);
/* The connection may not stay: one ERROR to request 0, then the end. */
void kt_door_refuse(KtConn *conn, KtStatus status, const KtDiag *diag);

#endif
