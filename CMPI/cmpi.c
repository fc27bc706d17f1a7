#include "CMPI.h"

#include <mpi.h>
#include <string.h>

_Static_assert(sizeof(MPI_Comm) <= sizeof(cmpi_comm), "a communicator fits its handle");
_Static_assert(sizeof(MPI_Request) <= sizeof(cmpi_request), "a request fits its handle");
_Static_assert(MPI_SUCCESS == 0, "0 is success");
_Static_assert(MPI_MAX_ERROR_STRING <= CMPI_TEXT, "an error text fits");

/* Handles are pointers in Open MPI and ints in MPICH: their bytes are carried, not their type. */
static MPI_Comm comm_of(cmpi_comm handle) {
    MPI_Comm comm;
    memcpy(&comm, &handle, sizeof comm);
    return comm;
}

static cmpi_comm handle_of(MPI_Comm comm) {
    cmpi_comm handle = 0;
    memcpy(&handle, &comm, sizeof comm);
    return handle;
}

static MPI_Request request_of(cmpi_request handle) {
    MPI_Request request;
    memcpy(&request, &handle, sizeof request);
    return request;
}

static cmpi_request keep(MPI_Request request) {
    cmpi_request handle = 0;
    memcpy(&handle, &request, sizeof request);
    return handle;
}

static MPI_Datatype type_of(cmpi_type type) {
    switch (type) {
    case CMPI_BYTE: return MPI_BYTE;
    case CMPI_INT64: return MPI_INT64_T;
    case CMPI_FLOAT: return MPI_FLOAT;
    case CMPI_DOUBLE: return MPI_DOUBLE;
    }
    return MPI_DATATYPE_NULL;
}

static MPI_Op operation_of(cmpi_operation operation) {
    switch (operation) {
    case CMPI_SUM: return MPI_SUM;
    case CMPI_MAX: return MPI_MAX;
    case CMPI_MIN: return MPI_MIN;
    }
    return MPI_OP_NULL;
}

int cmpi_start(int *serialized) {
    int provided = MPI_THREAD_SINGLE;
    int status = MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided);
    *serialized = provided >= MPI_THREAD_SERIALIZED;
    return status;
}

int cmpi_end(void) { return MPI_Finalize(); }

int cmpi_threads(int *multiple) {
    int provided = MPI_THREAD_SINGLE;
    int status = MPI_Query_thread(&provided);
    *multiple = provided == MPI_THREAD_MULTIPLE;
    return status;
}

cmpi_state cmpi_now(void) {
    int started = 0;
    int ended = 0;
    MPI_Initialized(&started);
    MPI_Finalized(&ended);
    return ended ? CMPI_ENDED : started ? CMPI_RUNNING : CMPI_NOT_STARTED;
}

int cmpi_world(cmpi_comm *world) {
    *world = handle_of(MPI_COMM_WORLD);
    return MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

int cmpi_place(cmpi_comm comm, int *rank, int *size) {
    int status = MPI_Comm_rank(comm_of(comm), rank);
    return status ? status : MPI_Comm_size(comm_of(comm), size);
}

int cmpi_split_by_host(cmpi_comm comm, cmpi_comm *host) {
    MPI_Comm split = MPI_COMM_NULL;
    int status =
        MPI_Comm_split_type(comm_of(comm), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &split);
    *host = handle_of(split);
    return status ? status : MPI_Comm_set_errhandler(split, MPI_ERRORS_RETURN);
}

int cmpi_duplicate(cmpi_comm comm, cmpi_comm *copy) {
    MPI_Comm duplicate = MPI_COMM_NULL;
    int status = MPI_Comm_dup(comm_of(comm), &duplicate);
    *copy = handle_of(duplicate);
    return status ? status : MPI_Comm_set_errhandler(duplicate, MPI_ERRORS_RETURN);
}

int cmpi_barrier(cmpi_comm comm) { return MPI_Barrier(comm_of(comm)); }

int cmpi_broadcast(cmpi_comm comm, void *data, int count, cmpi_type type, int root) {
    return MPI_Bcast(data, count, type_of(type), root, comm_of(comm));
}

int cmpi_allreduce(cmpi_comm comm, void *data, int count, cmpi_type type,
                   cmpi_operation operation) {
    return MPI_Allreduce(MPI_IN_PLACE, data, count, type_of(type), operation_of(operation),
                         comm_of(comm));
}

int cmpi_gather(cmpi_comm comm, const void *data, int count, void *into, const int *counts,
                const int *offsets, int root) {
    return MPI_Gatherv(data, count, MPI_BYTE, into, counts, offsets, MPI_BYTE, root, comm_of(comm));
}

int cmpi_start_barrier(cmpi_comm comm, cmpi_request *request) {
    MPI_Request started = MPI_REQUEST_NULL;
    int status = MPI_Ibarrier(comm_of(comm), &started);
    *request = keep(started);
    return status;
}

int cmpi_start_send(cmpi_comm comm, const void *data, int count, int rank,
                    cmpi_request *request) {
    MPI_Request started = MPI_REQUEST_NULL;
    int status = MPI_Isend(data, count, MPI_BYTE, rank, 0, comm_of(comm), &started);
    *request = keep(started);
    return status;
}

int cmpi_start_receive(cmpi_comm comm, void *data, int count, int rank, cmpi_request *request) {
    MPI_Request started = MPI_REQUEST_NULL;
    int status = MPI_Irecv(data, count, MPI_BYTE, rank, 0, comm_of(comm), &started);
    *request = keep(started);
    return status;
}

int cmpi_receive_ready(cmpi_comm comm, void *data, int capacity, int *rank, int *count) {
    int ready = 0;
    MPI_Message message;
    MPI_Status sender;
    *count = -1;
    int status = MPI_Improbe(MPI_ANY_SOURCE, 0, comm_of(comm), &ready, &message, &sender);
    if (status || !ready) return status;
    status = MPI_Mrecv(data, capacity, MPI_BYTE, &message, &sender);
    if (status) return status;
    *rank = sender.MPI_SOURCE;
    return MPI_Get_count(&sender, MPI_BYTE, count);
}

int cmpi_test(cmpi_request *request, int *finished) {
    MPI_Request tested = request_of(*request);
    int status = MPI_Test(&tested, finished, MPI_STATUS_IGNORE);
    *request = keep(tested);
    return status;
}

int cmpi_test_all(cmpi_request *requests, int count, int *finished) {
    *finished = 1;
    for (int i = 0; i < count; i++) {
        int ended = 0;
        int status = cmpi_test(&requests[i], &ended);
        if (status) return status;
        *finished &= ended;
    }
    return 0;
}

int cmpi_abort(int code) { return MPI_Abort(MPI_COMM_WORLD, code); }

void cmpi_error_text(int status, char *text) {
    int length = 0;
    if (MPI_Error_string(status, text, &length) != MPI_SUCCESS) length = 0;
    text[length] = '\0';
}

int cmpi_library(char *text) {
    char whole[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    int status = MPI_Get_library_version(whole, &length);
    strncpy(text, whole, CMPI_TEXT - 1);
    text[CMPI_TEXT - 1] = 0;
    return status;
}
