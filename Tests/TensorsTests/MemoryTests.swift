import Tensors
import Testing

@Suite struct MemoryTests {
  private let shape = Shape(channels: 32, extent: Extent(depth: 2, height: 3, width: 5))

  @Test func `a pool hands a returned block out again`() {
    let pool = MemoryPool()
    for _ in 0..<10 { _ = FeatureMap(uninitialized: shape, from: pool) }
    #expect(pool.allocations == 1)
  }

  @Test func `a shared feature map is copied before it is written`() {
    let pool = MemoryPool()
    let original = FeatureMap(zeros: shape, from: pool)
    var copy = original
    copy.mutablePointer()[0] = 1
    #expect(original[0, 0, 0, 0] == 0)
    #expect(copy[0, 0, 0, 0] == 1)
  }

  @Test func `a map of some channels reads the right block`() {
    let pool = MemoryPool()
    var map = FeatureMap(zeros: shape, from: pool)
    map.mutablePointer()[map.blockStride] = 7
    #expect(map[16, 0, 0, 0] == 7)
    #expect(map.channels(16..<32)[0, 0, 0, 0] == 7)
  }

  @Test func `a shared voxel grid is copied before it is written`() {
    let original = VoxelGrid(zeros: shape)
    var copy = original
    copy.mutableChannel(1)[0] = 3
    #expect(original[1, 0, 0, 0] == 0)
    #expect(copy[1, 0, 0, 0] == 3)
  }
}
