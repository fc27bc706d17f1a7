/* The verbs of MPI that lkdist uses, without mpi.h: handles are opaque numbers, counts are ints as
 * in MPI 3.1, and every verb returns MPI's own status (0 is success). No policy lives here. */
#pragma once

#include <stdint.h>

typedef uint64_t cmpi_comm;
typedef uint64_t cmpi_request;

typedef enum { CMPI_BYTE, CMPI_INT64, CMPI_FLOAT, CMPI_DOUBLE } cmpi_type;
typedef enum { CMPI_SUM, CMPI_MAX, CMPI_MIN } cmpi_operation;
typedef enum { CMPI_NOT_STARTED, CMPI_RUNNING, CMPI_ENDED } cmpi_state;

/* MPI_Init_thread asking for MPI_THREAD_MULTIPLE; `serialized` tells whether at least
 * MPI_THREAD_SERIALIZED was given. */
int cmpi_start(int *serialized);
/* MPI_Finalize. */
int cmpi_end(void);
/* MPI_Query_thread; `multiple` tells whether several threads may call MPI at the same time. */
int cmpi_threads(int *multiple);
/* MPI_Initialized and MPI_Finalized. */
cmpi_state cmpi_now(void);

/* MPI_COMM_WORLD, with MPI_ERRORS_RETURN set. */
int cmpi_world(cmpi_comm *world);
/* MPI_Comm_rank and MPI_Comm_size. */
int cmpi_place(cmpi_comm comm, int *rank, int *size);
/* MPI_Comm_split_type with MPI_COMM_TYPE_SHARED: the ranks of this host, in order. */
int cmpi_split_by_host(cmpi_comm comm, cmpi_comm *host);
/* MPI_Comm_dup. */
int cmpi_duplicate(cmpi_comm comm, cmpi_comm *copy);

/* MPI_Barrier. */
int cmpi_barrier(cmpi_comm comm);
/* MPI_Bcast. */
int cmpi_broadcast(cmpi_comm comm, void *data, int count, cmpi_type type, int root);
/* MPI_Allreduce, in place. */
int cmpi_allreduce(cmpi_comm comm, void *data, int count, cmpi_type type,
                   cmpi_operation operation);
/* MPI_Gatherv of bytes; `into`, `counts` and `offsets` matter on the root only. */
int cmpi_gather(cmpi_comm comm, const void *data, int count, void *into, const int *counts,
                const int *offsets, int root);

/* MPI_Ibarrier. */
int cmpi_start_barrier(cmpi_comm comm, cmpi_request *request);
/* MPI_Isend of bytes; `data` must stay until the request has ended. */
int cmpi_start_send(cmpi_comm comm, const void *data, int count, int rank, cmpi_request *request);
/* MPI_Irecv of `count` bytes; `data` must stay until the request has ended. */
int cmpi_start_receive(cmpi_comm comm, void *data, int count, int rank, cmpi_request *request);
/* MPI_Improbe and MPI_Mrecv: takes a message of at most `capacity` bytes if one is there; `count` is
 * its length, -1 without one. */
int cmpi_receive_ready(cmpi_comm comm, void *data, int capacity, int *rank, int *count);
/* MPI_Test. */
int cmpi_test(cmpi_request *request, int *finished);
/* MPI_Test on each of `count` requests; `finished` tells whether all have ended. */
int cmpi_test_all(cmpi_request *requests, int count, int *finished);

/* MPI_Abort on MPI_COMM_WORLD. */
int cmpi_abort(int code);
/* MPI_Error_string; `text` holds at least CMPI_TEXT bytes and ends with a zero. */
enum { CMPI_TEXT = 1024 };
void cmpi_error_text(int status, char *text);
/* MPI_Get_library_version; `text` holds at least CMPI_TEXT bytes, of which it fills what fits. */
int cmpi_library(char *text);
