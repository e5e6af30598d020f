//! The language of the License Update Server, spoken by agent and server.
