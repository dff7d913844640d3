#include "runtime/libraries/session.h"

#include "runtime/libraries/cublaslt.h"
#include "runtime/libraries/cudnn.h"

namespace burnish {

Result<std::unique_ptr<Session>> Session::open(std::string_view library, const cuda::Device& device,
                                               const std::string& directory) {
  if (library == cublaslt::library_name)
    return std::unique_ptr<Session>(TRY(cublaslt::MatmulSession::open(device, directory)));
  if (library == cudnn::library_name)
    return std::unique_ptr<Session>(TRY(cudnn::GraphSession::open(device, directory)));
  return Error(Code::unsupported, "this version of Burnish knows no library '" + std::string(library) + "'")
      .remedy("run the engine with the version of Burnish that built it");
}

Result<cuda::GraphNode> add_routine(cuda::Graph& graph, cuda::Graph::After after, const Routine& routine,
                                    const cuda::Stream& stream, std::span<const CUdeviceptr> operands) {
  TRY(cuda::begin_capture(stream));
  Result<> done = routine.enqueue(stream, operands);
  Result<cuda::Graph> child = cuda::end_capture(stream);
  if (!done) return std::move(done).error();
  return graph.add_child(after, TRY(std::move(child)));
}

}  // namespace burnish
