package server

// Visitors returns how many sockets wait on loops for a request.
func (s *Server) Visitors() int { return int(s.visitors.Load()) }
