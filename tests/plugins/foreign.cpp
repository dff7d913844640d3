// What a plugin for TensorRT exports.
extern "C" __attribute__((visibility("default"))) void* const* getPluginCreators(int& count) {
  count = 0;
  return nullptr;
}
