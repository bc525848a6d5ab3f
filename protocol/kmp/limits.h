/* protocol/kmp/limits.h - the numbers both sides of KMP hold each other to. Bytes unless a name says otherwise. */
#ifndef KT_PROTOCOL_KMP_LIMITS_H
#define KT_PROTOCOL_KMP_LIMITS_H

enum {
    KMP_MAJOR = 1,     /* the only version there is */
    KMP_PREAMBLE = 16, /* length of the preamble, each way */
    KMP_HEADER = 16,   /* length of a frame's header */
    KMP_FRAME_HELLO =
        65536, /* largest payload of a frame before WELCOME, and the least a peer may accept */
    KMP_FRAME_DEFAULT = 16 * 1024 * 1024,
    KMP_FRAME_MOST = 64 * 1024 * 1024,   /* the setting's upper end */
    KMP_MESSAGE_MOST = 64 * 1024 * 1024, /* all frames of one message joined */
    KMP_DEPTH_MOST = 1000,               /* lists, maps and entities inside each other */
    KMP_CANCEL_KEY = 32,
    KMP_ROWS_IN_BATCH = 65535, /* rows of one ROWS message */
    KMP_CREDIT_ROWS = 1024,    /* credit of a RUN or MORE that names none */
    KMP_CREDIT_BYTES = 1024 * 1024,
    KMP_CAUSES = 4, /* errors inside an error */
};

/* Bits of the preamble's capabilities. Only CHECKS exists in v1. */
enum {
    KMP_CAP_ZSTD = 1u << 0,
    KMP_CAP_LZ4 = 1u << 1,
    KMP_CAP_CHECKS = 1u << 2,
    KMP_CAP_COLUMNS = 1u << 3,
    KMP_CAP_GRAPH = 1u << 4,
    KMP_CAP_EVENTS = 1u << 5,
    KMP_CAP_BACKUP = 1u << 6,
};

/* Bits of a frame's flags. */
enum {
    KMP_LAST = 1,        /* the last frame of the answer to a request */
    KMP_MORE_FRAMES = 2, /* this message goes on in the next frame */
    KMP_ZSTD = 4,
    KMP_LZ4 = 8,
    KMP_CHECKED = 16,
    KMP_SKIP_IF_FAILED =
        32,          /* client: do nothing if the request before this one failed or was skipped */
    KMP_PARKED = 64, /* server, on ROWS: the credit is used up, nothing more comes until MORE */
};

#endif
