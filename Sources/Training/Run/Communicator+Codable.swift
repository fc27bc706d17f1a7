import Collectives
import Foundation

extension Communicator {
  /// What the root makes, on every rank.
  func shared<Value: Codable>(_ make: () throws -> Value) throws -> Value {
    var bytes: [UInt8] = []
    if rank == 0 { bytes = Array(try JSONEncoder().encode(try make())) }
    return try JSONDecoder().decode(Value.self, from: Data(try broadcast(bytes)))
  }

  /// The value of every rank in rank order, on the root; nil on the others. JSON keeps every bit of a
  /// finite number.
  func gathered<Value: Codable>(_ value: Value) throws -> [Value]? {
    try gather(Array(try JSONEncoder().encode(value)))?.map {
      try JSONDecoder().decode(Value.self, from: Data($0))
    }
  }
}
